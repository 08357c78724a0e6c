"""The search space of an SSCP-Mobile or CP-Mobile supernet: widths by channel group, and depth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint
from dcase_system.models import registry
from dcase_system.models.cp_mobile import CPMobileSpec
from dcase_system.supernet.architectures import is_optional
from dcase_system.supernet.sampling import Choices


@dataclass(frozen=True)
class MobileSpace:
    """Sub-networks of a CP-Mobile by the pruner's channel groups; each is a spec of the registry.

    A group of D channels keeps its first floor(r * D), at least one. The groups are the inner
    channels of the stem, the channels of each stage (joined by its shortcuts), and the expanded
    channels of each block. Of the blocks of a stage whose input and output have one shape, the last
    may be left out.

    Attributes:
        base: Largest sub-network, the supernet itself.
        ratios: Allowed width ratios, ascending; the largest is 1.
        spread: How many steps the ratios of a sub-network may be from a level that they share, so
            that sizes are sampled about evenly; None for independent ratios.
        elastic_depth: Whether blocks may be left out.
    """

    base: CPMobileSpec
    ratios: tuple[float, ...] = (0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 1.0)
    spread: int | None = 1
    elastic_depth: bool = True

    def __post_init__(self):
        ascending = list(self.ratios) == sorted(set(self.ratios))
        if not ascending or not self.ratios or self.ratios[0] <= 0 or self.ratios[-1] != 1:
            raise _wrong("ratios", "numbers above 0 rising to 1", self.ratios)
        if self.spread is not None and self.spread < 0:
            raise _wrong("spread", "0 or more steps, or None", self.spread)

    @property
    def key(self) -> str:
        """Fingerprint of everything that defines the space."""
        base = registry.spec_to_json(self.base)
        return fingerprint([base, self.ratios, self.spread, self.elastic_depth])

    @cached_property
    def groups(self) -> dict[str, int]:
        """Channels of each group, by its first layer, in the order of the pruner's groups."""
        base = self.base
        inner = enumerate(base.stem_inner, 1)
        groups = {f"stem{path}_a_conv": channels for path, channels in inner}
        groups["stem1_b_conv"] = base.stem_channels
        for index, block in enumerate(base.blocks, 1):
            groups[f"block{index}_expand_conv"] = block.expanded
            if not block.shortcut:
                groups[f"block{index}_project_conv"] = block.channels
        return groups

    @cached_property
    def _runs(self) -> list[list[int]]:
        """Numbers, from 1, of neighbouring blocks that may be left out."""
        runs: list[list[int]] = []
        for index, block in enumerate(self.base.blocks, 1):
            if self.elastic_depth and is_optional(block):
                if runs and runs[-1][-1] == index - 1:
                    runs[-1].append(index)
                else:
                    runs.append([index])
        return runs

    @cached_property
    def choices(self) -> Choices:
        """The decisions of a training step, by channel group; paths of the stem share one."""
        groups = list(self.groups)
        table = [
            [max(1, math.floor(round(ratio * size, 6))) for ratio in self.ratios]
            for size in self.groups.values()
        ]
        paths = len(self.base.stem_inner)
        decisions = [0] * paths + list(range(1, len(groups) - paths + 1))
        runs, positions = np.full(len(groups), -1), np.zeros(len(groups), int)
        for run, blocks in enumerate(self._runs):
            for position, block in enumerate(blocks):
                group = groups.index(f"block{block}_expand_conv")
                runs[group], positions[group] = run, position
        depths = [tuple(range(len(blocks) + 1)) for blocks in self._runs]
        return Choices(
            np.array(table, np.int32), np.array(decisions), depths, runs, positions, self.spread
        )

    def spec(self, widths: Sequence[int] | np.ndarray) -> CPMobileSpec:
        """Returns the spec of widths by channel group, 0 for a block left out."""
        base, of_group = self.base, dict(zip(self.groups, map(int, widths), strict=True))
        blocks, channels = [], of_group["stem1_b_conv"]
        for index, block in enumerate(base.blocks, 1):
            channels = of_group.get(f"block{index}_project_conv", channels)
            if expanded := of_group[f"block{index}_expand_conv"]:
                blocks.append(replace(block, expanded=expanded, channels=channels))
        inner = [of_group[f"stem{path}_a_conv"] for path in range(1, len(base.stem_inner) + 1)]
        return replace(
            base,
            stem_inner=tuple(inner),
            stem_channels=of_group["stem1_b_conv"],
            blocks=tuple(blocks),
        )

    @property
    def smallest(self) -> CPMobileSpec:
        return self.spec(self.choices.smallest)

    def draw(self, generator: np.random.Generator) -> CPMobileSpec:
        """Samples a sub-network as a training step does."""
        return self.spec(self.choices.draw(generator))

    def name(self, spec: CPMobileSpec) -> str:
        """Name for records, such as `4-4_16|36:16|36:16|57:28`: the stem, then each block."""
        inner = "-".join(map(str, spec.stem_inner))
        blocks = "|".join(f"{block.expanded}:{block.channels}" for block in spec.blocks)
        return f"{inner}_{spec.stem_channels}|{blocks}"


def _wrong(what: str, expected: object, received: object) -> InputError:
    return InputError(
        f"{what} is wrong", where="search space", expected=expected, received=received
    )
