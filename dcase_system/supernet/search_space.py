"""The search space: a supernet's sub-networks and their costs."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from dcase_system.complexity.costs import Measure
from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec, sliced_width
from dcase_system.supernet.constraints import PAPER_CONSTRAINTS, PAPER_TOLERANCE
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.sampling import Choices

# Width ratios of a sub-network's layers, by dynamic block: ((0.4, 0.6), (1.0,)).
Ratios = tuple[tuple[float, ...], ...]

# The spaces of Figure 3: the paper's own first, elastic width alone last.
DEPTH_PATTERNS = ("2,2,X", "2,X,X", "X,X,X", "none")
WidthPer = Literal["block", "layer"]
_WIDTHS = (0.4, 0.6, 0.8, 1.0)
# Without 0.2, elastic width alone gets nowhere near a million parameters (section 4.1).
_WIDTHS_ALONE = (0.2, *_WIDTHS)


@dataclass(frozen=True)
class SearchSpace:
    """Sub-networks of a CNN10: the last blocks with fewer channels or fewer convolutions.

    A layer of D channels keeps its first floor(r * D); a block keeps its first convolutions. The
    blocks before the dynamic ones, the embedding and the logits do not change; where their input
    is narrower, they use the first rows of their kernel (Lin et al., section 2.2; which parts are
    dynamic follows from the published parameter counts).

    Attributes:
        base: Largest sub-network, the supernet itself.
        depth_pattern: Number of convolutions of each dynamic block, X for any number; `none` for
            all convolutions in the last three blocks (elastic width alone).
        width_per: Whether a block has one ratio ("two searching dimensions for each block"), or
            each of its layers has its own.
        ratios: Allowed width ratios; the largest is 1.
    """

    base: CNN10Spec = field(default_factory=CNN10Spec)
    depth_pattern: str = "2,2,X"
    width_per: WidthPer = "block"
    ratios: tuple[float, ...] = _WIDTHS

    def __post_init__(self):
        if self.width_per not in ("block", "layer"):
            raise _wrong("width_per", "block or layer", self.width_per)
        ascending = list(self.ratios) == sorted(set(self.ratios))
        if not ascending or not self.ratios or self.ratios[0] <= 0 or self.ratios[-1] != 1:
            raise _wrong("ratios", "numbers above 0 rising to 1", self.ratios)
        marks = self._marks
        dynamic = self.base.blocks[-len(marks) :]
        if len(marks) > len(self.base.blocks) or any(
            mark != "X" and not (mark.isdecimal() and 1 <= int(mark) <= len(block))
            for mark, block in zip(marks, dynamic, strict=True)
        ):
            depths = ",".join(str(len(block)) for block in self.base.blocks)
            expected = f"at most {depths} or X for each of the last blocks, such as 2,2,X, or none"
            raise _wrong("depth_pattern", expected, self.depth_pattern)
        narrowest = min(min(block) for block in dynamic)
        if sliced_width(narrowest, self.ratios[0]) < 1:
            raise _wrong("ratios", f"a channel left of {narrowest}", self.ratios[0])

    @property
    def _marks(self) -> list[str]:
        if self.depth_pattern == "none":
            return [str(len(block)) for block in self.base.blocks[-3:]]
        return self.depth_pattern.split(",")

    @property
    def static_blocks(self) -> int:
        """Number of blocks that do not change."""
        return len(self.base.blocks) - len(self._marks)

    @cached_property
    def depths(self) -> tuple[tuple[int, ...], ...]:
        """Allowed depths of each dynamic block."""
        blocks = self.base.blocks[self.static_blocks :]
        return tuple(
            tuple(range(1, len(block) + 1)) if mark == "X" else (int(mark),)
            for mark, block in zip(self._marks, blocks, strict=True)
        )

    @property
    def size(self) -> int:
        """Number of sub-networks."""
        return math.prod(len(options) for options in self._options)

    @property
    def key(self) -> str:
        """Fingerprint of everything that defines the space."""
        values = [self.depths, self.width_per, self.ratios, registry.spec_to_json(self.base)]
        return fingerprint(values)

    @cached_property
    def _options(self) -> list[list[tuple[float, ...]]]:
        """Allowed ratios of each dynamic block."""
        return [
            [ratios for depth in depths for ratios in self._of_depth(depth)]
            for depths in self.depths
        ]

    def _of_depth(self, depth: int) -> Iterator[tuple[float, ...]]:
        if self.width_per == "block":
            return ((ratio,) * depth for ratio in self.ratios)
        return itertools.product(self.ratios, repeat=depth)

    def all(self) -> Iterator[Ratios]:
        """Yields every sub-network, in a fixed order."""
        return itertools.product(*self._options)

    def __contains__(self, ratios: object) -> bool:
        return (
            isinstance(ratios, tuple)
            and len(ratios) == len(self._options)
            and all(of in options for of, options in zip(ratios, self._options, strict=True))
        )

    @property
    def largest(self) -> Ratios:
        return tuple((1.0,) * depths[-1] for depths in self.depths)

    @property
    def smallest(self) -> Ratios:
        return tuple((self.ratios[0],) * depths[0] for depths in self.depths)

    def draw(self, generator: np.random.Generator) -> Ratios:
        """Samples a sub-network, with every depth and every width equally likely.

        A block therefore has each depth equally often. (Sampling `all` uniformly would give a block
        with a width per layer its larger depth in 16 of 20 cases.)
        """
        drawn = []
        for depths in self.depths:
            depth = int(generator.choice(depths))
            widths = 1 if self.width_per == "block" else depth
            ratios = generator.choice(self.ratios, widths).tolist()
            drawn.append(tuple(ratios * (depth // widths)))
        return tuple(drawn)

    @cached_property
    def choices(self) -> Choices:
        """The decisions of a training step, by channel group: convolutions, then the embedding."""
        table, runs, positions = [], [], []
        decisions: list[int] = []
        for block, widths in enumerate(self.base.blocks):
            dynamic = block - self.static_blocks
            ratios = self.ratios if dynamic >= 0 else (1.0,) * len(self.ratios)
            for layer, width in enumerate(widths):
                table.append([sliced_width(width, ratio) for ratio in ratios])
                shared = self.width_per == "block" and layer > 0
                decisions.append(decisions[-1] if shared else len(set(decisions)))
                runs.append(max(dynamic, -1))
                positions.append(layer)
        table.append([self.base.embedding] * len(self.ratios))
        return Choices(
            np.array(table, np.int32),
            np.array([*decisions, decisions[-1]]),
            self.depths,
            np.array([*runs, -1]),
            np.array([*positions, 0]),
        )

    def spec(self, ratios: Ratios) -> CNN10Spec:
        """Returns the spec of a sub-network.

        Raises:
            InputError: The sub-network is not in this space.
        """
        if ratios not in self:
            raise InputError(
                "sub-network is not in the search space",
                where="supernet",
                expected=f"depths {self.depth_pattern} and ratios {self.ratios}",
                received=ratios,
            )
        kept = self.static_blocks
        dynamic = tuple(
            tuple(sliced_width(width, ratio) for width, ratio in zip(block, of, strict=False))
            for block, of in zip(self.base.blocks[kept:], ratios, strict=True)
        )
        return replace(self.base, blocks=self.base.blocks[:kept] + dynamic)

    def cost(self, ratios: Ratios, measure: Measure = "params") -> int:
        return costs_of(self.spec(ratios)).of(measure)


def paper_space(
    depth_pattern: str = "2,2,X",
    width_per: WidthPer = "block",
    base: CNN10Spec | None = None,
) -> SearchSpace:
    """Returns a pattern's space with the paper's ratios, including 0.2 for elastic width alone."""
    ratios = _WIDTHS_ALONE if depth_pattern == "none" else _WIDTHS
    return SearchSpace(base or CNN10Spec(), depth_pattern, width_per, ratios)


def space_name(pattern: str) -> str:
    """Formats a depth pattern as in the paper: `EW+ED=[2,2,X]`, or `EW-only`."""
    return "EW-only" if pattern == "none" else f"EW+ED=[{pattern}]"


def ratios_name(ratios: Ratios) -> str:
    """Formats a sub-network's ratios, such as `0.4-0.6|0.8-0.8|1`."""
    return "|".join("-".join(f"{ratio:g}" for ratio in of) for of in ratios)


def describe(space: SearchSpace) -> dict:
    """Counts sub-networks, overall and in each of the paper's windows, and their parameters.

    A window spans 0.2 M on both sides of its centre, ends included.
    """
    params = np.array([space.cost(ratios) for ratios in space.all()])
    near = {
        f"{centre / 1e6:g}": int((np.abs(params - centre) <= PAPER_TOLERANCE).sum())
        for centre in PAPER_CONSTRAINTS
    }
    return {
        "size": space.size,
        "min_params": int(params.min()),
        "max_params": int(params.max()),
        "windows": near,
    }


def _wrong(what: str, expected: object, received: object) -> InputError:
    return InputError(
        f"{what} is wrong", where="search space", expected=expected, received=received
    )
