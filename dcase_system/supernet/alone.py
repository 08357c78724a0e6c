"""Reference networks, trained alone: one ratio and one depth in all blocks."""

from dataclasses import dataclass

from dcase_system.models.cnn10 import CNN10Spec, uniform_cnn10
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.search_space import SearchSpace


@dataclass(frozen=True)
class UniformNetwork:
    """A network with the same width ratio and depth in all dynamic blocks.

    Attributes:
        ratio: Width ratio.
        depth: Convolutions per dynamic block.
        spec: Spec of the network.
    """

    ratio: float
    depth: int
    spec: CNN10Spec

    @property
    def params(self) -> int:
        return costs_of(self.spec).params

    @property
    def name(self) -> str:
        """Name for folders, such as `0.6_1`."""
        return f"{self.ratio:g}_{self.depth}"


def uniform_network(space: SearchSpace, params: float) -> UniformNetwork:
    """Returns the reference network for sub-networks with about this many parameters.

    It is the smallest network with at least this many parameters, so that no sub-network wins by
    its size; if only the base has as many, it is the largest network below the base. For the
    paper's constraints these are the networks of its Table 1 (1.0, 2.1 and 3.5 M).

    Args:
        space: Search space, which defines the ratios and the base.
        params: Number of trainable parameters.
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
