"""Counts the architectures that a size window admits, exactly, by enumerating all of them.

A network's parameters are a sum over its blocks, and a block's parameters depend only on its width
and its two modules. The sizes of all networks with one stem and growth are therefore sums over
tables of 20 numbers, one table per block.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dcase_system.models.scene_cnn import MODULES, scene_spec
from dcase_system.scene_search.costs import costs_of

_POOLS = 2  # cost nothing


@dataclass(frozen=True)
class WindowCounts:
    """Statistics of the architectures that a size window admits.

    Attributes:
        architectures: Number of admitted architectures.
        acceptance: Probability that a random architecture (`SceneSpace.draw`) is admitted.
        by_growth: Acceptance for each growth.
        by_blocks: Share of each number of blocks among admitted random architectures.
        nearest_params: Parameters of the network nearest to the window, or within it.
    """

    architectures: int
    acceptance: float
    by_growth: dict[float, float]
    by_blocks: dict[int, float]
    nearest_params: int


def window_counts(
    block_counts: Sequence[int],
    stems: Sequence[int],
    growths: Sequence[float],
    *,
    channels: int,
    classes: int,
    within: tuple[float, float],
) -> WindowCounts:
    """Counts the architectures with more parameters than `within[0]` and fewer than `within[1]`.

    Args:
        block_counts: Numbers of blocks.
        stems: Widths of the stem.
        growths: Factors by which the width grows in each block.
        channels: Number of input channels for counting the size.
        classes: Number of classes.
        within: Bounds of the parameters, both excluded.
    """
    low, high = within
    accepted = np.zeros((len(growths), len(block_counts)))  # probability, by growth and blocks
    architectures, nearest, least_gap = 0, 0, np.inf
    for row, growth in enumerate(growths):
        for stem in stems:
            for column, count in enumerate(block_counts):
                sizes = _sizes(stem, growth, count, channels, classes)
                inside = int(((sizes > low) & (sizes < high)).sum())
                accepted[row, column] += inside / sizes.size
                architectures += inside * _POOLS**count
                gaps = np.maximum(np.maximum(low - sizes, sizes - high), 0)
                if gaps.min() < least_gap:
                    least_gap, nearest = gaps.min(), int(sizes[gaps.argmin()])
    accepted /= len(stems)
    of_blocks = accepted.mean(axis=0)
    total = of_blocks.sum() or 1.0
    return WindowCounts(
        architectures,
        float(accepted.mean()),
        dict(zip(growths, accepted.mean(axis=1).tolist(), strict=True)),
        dict(zip(block_counts, (of_blocks / total).tolist(), strict=True)),
        nearest,
    )


def _sizes(stem: int, growth: float, count: int, channels: int, classes: int) -> np.ndarray:
    """Returns the parameters of all networks with this stem, growth and number of blocks.

    Networks that differ only in pooling are counted once.
    """
    width = stem
    sizes = np.array([(9 * channels + 2) * stem])
    for _ in range(count):
        table = _block_params(width, growth)
        sizes = (sizes[:, None] + table).ravel()
        width = int(growth * width)
    return sizes + (width + 1) * classes


def _block_params(width: int, growth: float) -> np.ndarray:
    """Returns a block's parameters (20,) for each pair of modules at this input width."""
    around = (9 * 1 + 2) * width + int(growth * width) + 1  # stem and head of the whole network
    return np.array(
        [
            costs_of(
                scene_spec(width, [(first, second, "avg")], growth, classes=1, input_channels=1)
            ).params
            - around
            for first in range(len(MODULES) + 1)
            for second in MODULES
        ]
    )
