"""Recalibrates batch norm statistics for a sub-network, and runs it with them.

Sub-networks of all widths update a supernet's moving statistics, which therefore fit none of them
(the paper does not say how it handles this). Before a sub-network is scored or extracted, it runs
over some training clips, with each layer normalising by the batch at hand. The averages of the
batches' means and variances, weighted by clips, become its statistics (as in Once-for-All).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from dcase_system.supernet.elastic import ElasticNetwork


def calibration_rows(clips: int, count: int) -> np.ndarray:
    """Draws the same rows (count,), or all, for every sub-network and seed, in random order.

    Lists are sorted by class. Batches of one class each would give the variance within the classes,
    which is too small.

    Args:
        clips: Number of training clips.
        count: Number of clips to draw.
    """
    return np.random.default_rng(0).permutation(clips)[:count]


class SubNetworks:
    """Runs and recalibrates the sub-networks of a supernet, with one trace for all of them.

    Args:
        supernet: Supernet, whose current weights are used at each call.
    """

    def __init__(self, supernet: ElasticNetwork):
        self.supernet = supernet
        features = tf.TensorSpec((None, supernet.spec.input_shape[0], None, 1), tf.float32)
        widths = tf.TensorSpec((len(supernet.groups),), tf.int32)
        self._run = tf.function(
            lambda x, of: supernet(x, of, mode="running"), input_signature=[features, widths]
        )
        self._move = tf.function(
            lambda x, of, keep: supernet(x, of, mode="calibrating", keep=keep),
            input_signature=[features, widths, tf.TensorSpec((), tf.float32)],
        )

    @property
    def traces(self) -> int:
        """Number of traces of both graphs."""
        counted = (self._run, self._move)
        return sum(function.experimental_get_tracing_count() for function in counted)

    def logits(self, spec: Any, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Computes logits (clips, classes) of a sub-network for batches of features.

        Args:
            spec: Spec of the sub-network.
            batches: Features (batch, mels, frames, 1).

        Raises:
            InputError: The spec is not a sub-network of the supernet.
        """
        return np.concatenate(list(self.logit_batches(spec, batches)))

    def logit_batches(self, spec: Any, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yields what `logits` returns batch by batch, so that a score need not keep all."""
        widths = self.supernet.widths_of(spec)
        return (self._run(batch, widths).numpy() for batch in batches)

    def recalibrate(self, spec: Any, batches: Iterable[np.ndarray]) -> None:
        """Sets the statistics of the supernet's first channels to those of a sub-network.

        They stay until another sub-network is recalibrated; weights do not change.

        Args:
            spec: Spec of the sub-network.
            batches: Features (batch, mels, frames, 1) of training clips.

        Raises:
            InputError: The spec is not a sub-network of the supernet.
        """
        widths, seen = self.supernet.widths_of(spec), 0
        for batch in batches:
            # A running mean over clips; the first batch replaces the old statistics.
            self._move(batch, widths, np.float32(seen / (seen + len(batch))))
            seen += len(batch)


@contextmanager
def kept_statistics(supernet: ElasticNetwork) -> Iterator[None]:
    """Restores the moving statistics at the end of the block."""
    before = [(weight, weight.numpy()) for weight in supernet.non_trainable_weights]
    try:
        yield
    finally:
        for weight, value in before:
            weight.assign(value)
