"""Statistics of batch norm for one sub-network, and running a sub-network with them.

The moving statistics of a supernet were moved by sub-networks of all widths and fit none of them
(the paper does not say what it did). Before a sub-network is scored or cut out, it runs over some
training clips, each layer normalising with the batch at hand, and the means over these batches of
their means and variances, weighted by clips, become its statistics (as in Once-for-All).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.supernet.elastic import ElasticCNN10


class SubNetworks:
    """Runs and recalibrates the sub-networks of a supernet: one trace of each for all of them.

    Args:
        supernet: whose weights are used as they are at each call.
    """

    def __init__(self, supernet: ElasticCNN10):
        self.supernet = supernet
        features = tf.TensorSpec((None, supernet.spec.input_shape[0], None, 1), tf.float32)
        widths = tf.TensorSpec(supernet.widths_shape, tf.int32)
        self._run = tf.function(
            lambda x, of: supernet(x, of, mode="running"), input_signature=[features, widths]
        )
        self._move = tf.function(
            lambda x, of, keep: supernet(x, of, mode="calibrating", keep=keep),
            input_signature=[features, widths, tf.TensorSpec((), tf.float32)],
        )

    @property
    def traces(self) -> int:
        """How often a graph has been traced."""
        counted = (self._run, self._move)
        return sum(function.experimental_get_tracing_count() for function in counted)

    def logits(self, spec: CNN10Spec, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Logits (clips, classes) of a sub-network for batches of features.

        Args:
            spec: of the sub-network.
            batches: features (batch, mels, frames, 1).

        Raises:
            InputError: the spec is no sub-network of the supernet.
        """
        widths = self.supernet.widths_of(spec)
        return np.concatenate([self._run(batch, widths).numpy() for batch in batches])

    def recalibrate(self, spec: CNN10Spec, batches: Iterable[np.ndarray]) -> None:
        """Sets the statistics of the supernet's first channels to those of a sub-network.

        They stay until another sub-network is recalibrated; weights do not change.

        Args:
            spec: of the sub-network.
            batches: features (batch, mels, frames, 1) of training clips.

        Raises:
            InputError: the spec is no sub-network of the supernet.
        """
        widths, seen = self.supernet.widths_of(spec), 0
        for batch in batches:
            # A running mean over clips; the first batch replaces what was there.
            self._move(batch, widths, np.float32(seen / (seen + len(batch))))
            seen += len(batch)


@contextmanager
def kept_statistics(supernet: ElasticCNN10) -> Iterator[None]:
    """Puts the moving statistics back at the end of the block."""
    before = [(weight, weight.numpy()) for weight in supernet.non_trainable_weights]
    try:
        yield
    finally:
        for weight, value in before:
            weight.assign(value)
