"""Samples sub-networks: inside the graph for a training step, and outside of it for a search."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import keras
import numpy as np
import tensorflow as tf

# `uniform` is the paper's; `sandwich` takes the largest and the smallest, and samples the others.
Sampling = Literal["uniform", "sandwich"]


@dataclass(frozen=True, eq=False)
class Choices:
    """The decisions that make a sub-network.

    Attributes:
        table: Width of each group at each ratio, ascending, int32 (groups, ratios).
        decisions: Decision that sets the ratio of each group, (groups,); groups may share one.
        depths: Allowed depths of each run of layers or blocks of which the last may be left out.
        runs: Run of each group's layer or block, (groups,); -1 for one that always stays.
        positions: Its position in the run, (groups,): it stays if the depth is larger.
        spread: How many steps a ratio may be from a level that all ratios of a sub-network share;
            None for independent ratios.
    """

    table: np.ndarray
    decisions: np.ndarray
    depths: Sequence[Sequence[int]]
    runs: np.ndarray
    positions: np.ndarray
    spread: int | None = None

    @property
    def num_decisions(self) -> int:
        return int(self.decisions.max()) + 1

    @property
    def num_ratios(self) -> int:
        return self.table.shape[1]

    def widths(self, ratios: np.ndarray, depths: Sequence[int]) -> np.ndarray:
        """Returns the widths (groups,) of decided ratios (decisions,) and depths (runs,)."""
        widths = self.table[np.arange(len(self.table)), np.asarray(ratios)[self.decisions]]
        stays = self.runs < 0
        if depths:
            stays |= self.positions < np.asarray(depths)[self.runs]
        return np.where(stays, widths, 0).astype(np.int32)

    @property
    def largest(self) -> np.ndarray:
        ratios = np.full(self.num_decisions, self.num_ratios - 1)
        return self.widths(ratios, [max(of) for of in self.depths])

    @property
    def smallest(self) -> np.ndarray:
        return self.widths(np.zeros(self.num_decisions, int), [min(of) for of in self.depths])

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """Samples widths (groups,) as a training step does."""
        if self.spread is None:
            ratios = generator.integers(self.num_ratios, size=self.num_decisions)
        else:
            steps = generator.integers(-self.spread, self.spread + 1, size=self.num_decisions)
            ratios = np.clip(generator.integers(self.num_ratios) + steps, 0, self.num_ratios - 1)
        return self.widths(ratios, [int(generator.choice(of)) for of in self.depths])


class WidthSampler(keras.layers.Layer):
    """Samples sub-networks as `widths` for the elastic network; every choice is equally likely.

    The generator's state is a variable, so every checkpoint includes it.

    Args:
        choices: Decisions to sample.
        seed: Seed for sampling.
    """

    def __init__(self, choices: Choices, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.choices = choices
        self.largest, self.smallest = choices.largest, choices.smallest
        self.built = True

    def draw(self):
        """Samples a sub-network: widths (groups,), int32."""
        choices = self.choices
        ratios = self._integers(choices.num_decisions, choices.num_ratios)
        if choices.spread is not None:
            level = self._integers(1, choices.num_ratios)
            steps = self._integers(choices.num_decisions, 2 * choices.spread + 1) - choices.spread
            ratios = tf.clip_by_value(level + steps, 0, choices.num_ratios - 1)
        of_group = tf.gather(ratios, choices.decisions)
        widths = tf.gather(tf.constant(choices.table), of_group, batch_dims=1)  # (groups,)
        if not choices.depths:
            return widths
        counts = np.array([len(of) for of in choices.depths])
        options = np.zeros((len(counts), counts.max()), np.int32)
        for run, of_run in enumerate(choices.depths):
            options[run, : len(of_run)] = of_run
        drawn = self._integers(len(counts), counts)
        depths = tf.gather(tf.constant(options), drawn, batch_dims=1)  # (runs,)
        of_group = tf.gather(depths, np.maximum(choices.runs, 0))
        return tf.where((choices.runs < 0) | (choices.positions < of_group), widths, 0)

    def _integers(self, size: int, below):
        """Samples integers (size,) from 0 up to, but excluding, `below`."""
        drawn = keras.random.uniform((size,), seed=self.seed_generator) * below
        return tf.minimum(tf.cast(drawn, tf.int32), tf.cast(below, tf.int32) - 1)

    def of_step(self, index, sampling: Sampling):
        """Returns the widths of the sub-network at position `index` in a step."""
        if sampling == "uniform":
            return self.draw()
        return tf.case(
            [
                (tf.equal(index, 0), lambda: tf.constant(self.largest)),
                (tf.equal(index, 1), lambda: tf.constant(self.smallest)),
            ],
            default=self.draw,
        )
