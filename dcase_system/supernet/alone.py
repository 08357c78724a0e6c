"""The networks that are trained alone to compare with: one ratio and one depth in all blocks."""

from dataclasses import dataclass

from dcase_system.models.cnn10 import CNN10Spec, uniform_cnn10
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.space import SearchSpace


@dataclass(frozen=True)
class UniformNetwork:
    """A network with the same width ratio and depth in all dynamic blocks.

    Attributes:
        ratio: of the widths.
        depth: convolutions a dynamic block.
        spec: of the network.
    """

    ratio: float
    depth: int
    spec: CNN10Spec

    @property
    def params(self) -> int:
        return costs_of(self.spec).params

    @property
    def name(self) -> str:
        """A word for folders, such as `0.6_1`."""
        return f"{self.ratio:g}_{self.depth}"


def uniform_network(space: SearchSpace, params: float) -> UniformNetwork:
    """The network that a sub-network of about so many parameters is compared with.

    It is the smallest that has so many, so that no sub-network wins by its size; or the largest
    there is, where only the base itself has so many. For the paper's constraints these are the
    networks of its Table 1 (1.0, 2.1 and 3.5 M).

    Args:
        space: that has the ratios, and the base.
        params: trainable parameters.
    """
    deepest = max(map(len, space.base.blocks[space.static_blocks :]))
    networks = [
        UniformNetwork(ratio, depth, uniform_cnn10(ratio, depth, space.base, space.static_blocks))
        for ratio in space.ratios
        for depth in range(1, deepest + 1)
        if (ratio, depth) != (1, deepest)  # the base
    ]
    networks.sort(key=lambda one: one.params)
    return next((one for one in networks if one.params >= params), networks[-1])
