"""Samples the sub-networks of a training step, inside the graph."""

from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from dcase_system.models.cnn10 import sliced_width
from dcase_system.supernet.search_space import SearchSpace

# `uniform` is the paper's; `sandwich` takes the largest and the smallest, and samples the others.
Sampling = Literal["uniform", "sandwich"]


class WidthSampler(keras.layers.Layer):
    """Samples sub-networks of a space, as `widths` for the elastic network.

    Samples are distributed as in `SearchSpace.draw`, with every depth and every width equally
    likely. The generator's state is a variable, so every checkpoint includes it.

    Args:
        space: Search space.
        seed: Seed for sampling.
    """

    def __init__(self, space: SearchSpace, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self._per_block = space.width_per == "block"
        blocks, static = space.base.blocks, space.static_blocks
        layers = max(len(block) for block in blocks)
        # (blocks, layers, ratios): the width of each layer at each ratio; 0 where there is no layer
        table = np.zeros((len(blocks), layers, len(space.ratios)), np.int32)
        for block, widths in enumerate(blocks):
            for layer, width in enumerate(widths):
                ratios = space.ratios if block >= static else (1.0,) * len(space.ratios)
                table[block, layer] = [sliced_width(width, ratio) for ratio in ratios]
        depths = [(len(block),) for block in blocks[:static]] + list(space.depths)
        options = np.ones((len(blocks), max(map(len, depths))), np.int32)
        for block, of_block in enumerate(depths):
            options[block, : len(of_block)] = of_block
        self._widths, self._depths = table, options
        self._depth_counts = np.array([[len(of_block)] for of_block in depths])
        self.largest, self.smallest = self._extremes()
        self.built = True

    def _extremes(self) -> tuple[np.ndarray, np.ndarray]:
        layers = np.arange(self._widths.shape[1])[None]
        most, least = self._depths.max(axis=1), self._depths[:, 0]
        largest = np.where(layers < most[:, None], self._widths[..., -1], 0)
        smallest = np.where(layers < least[:, None], self._widths[..., 0], 0)
        return largest.astype(np.int32), smallest.astype(np.int32)

    def draw(self):
        """Samples a sub-network: widths (blocks, layers), int32."""
        blocks, layers, ratios = self._widths.shape
        columns = 1 if self._per_block else layers
        drawn = tf.tile(
            self._integers((blocks, columns), ratios), [1, layers if self._per_block else 1]
        )
        widths = tf.gather(tf.constant(self._widths), drawn, batch_dims=2)  # (blocks, layers)
        choice = self._integers((blocks, 1), self._depth_counts)
        depth = tf.gather(tf.constant(self._depths), choice, batch_dims=1)  # (blocks, 1)
        return tf.where(tf.range(layers)[None] < depth, widths, 0)

    def _integers(self, shape: tuple[int, int], below):
        """Samples integers from 0 up to, but excluding, `below`."""
        drawn = keras.random.uniform(shape, seed=self.seed_generator) * below
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
