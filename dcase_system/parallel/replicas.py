"""How a replica of a data-parallel training processes its share of a batch.

Every replica receives the whole batch and augments it with the same random numbers. The network
then runs on the replica's share, and all replicas see the outputs of all shares. So the loss, the
metrics and all randomness equal those of one worker with the same batch: training with many
replicas gives the result of one, up to the order of sums. With one replica all this is a no-op.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import keras
import tensorflow as tf

_PER_REPLICA = ContextVar("per_replica", default=False)


def count() -> int:
    """Number of replicas that share batches here; 1 outside of `Strategy.run`."""
    if _PER_REPLICA.get() or tf.distribute.in_cross_replica_context():
        return 1
    return tf.distribute.get_strategy().num_replicas_in_sync


def index():
    """Index of this replica."""
    return 0 if count() == 1 else tf.distribute.get_replica_context().replica_id_in_sync_group


@contextmanager
def per_replica() -> Iterator[None]:
    """Lets each replica work by itself, on whole batches.

    TensorFlow cannot sum over replicas inside loops and conditions of the graph.
    """
    before = _PER_REPLICA.set(True)
    try:
        yield
    finally:
        _PER_REPLICA.reset(before)


def all_sum(values):
    """Sums tensors of one shape over all replicas; differentiable."""
    # The output of a loop in the graph has no device, and the sum refuses that.
    own = tf.nest.map_structure(tf.identity, values)
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, own)


def bounds(examples) -> tuple:
    """First and last + 1 of this replica's examples in a batch of this size; may be empty."""
    return examples * index() // count(), examples * (index() + 1) // count()


def share(batch):
    """Returns this replica's examples (share, ...) of (batch, ...)."""
    if count() == 1:
        return batch
    first, end = bounds(tf.shape(batch)[0])
    return batch[first:end]


def join(outputs, examples):
    """Gathers all replicas' outputs: (examples, values) from this one's (share, values).

    Each replica then has the same loss, so the backward pass sums equal gradients over replicas:
    the caller must divide the loss by the number of replicas, as Keras does.
    """
    if count() == 1:
        return outputs
    first, end = bounds(examples)
    padded = tf.pad(outputs, [[first, examples - end], [0, 0]])
    padded.set_shape((None, outputs.shape[-1]))
    return all_sum(padded)


def batch_norm(inputs, gamma, beta, epsilon: float):
    """Batch normalisation by the statistics of the batch, over all replicas' shares.

    Args:
        inputs: Activations (share, height, width, channels).
        gamma: Scale (channels,).
        beta: Offset (channels,).
        epsilon: Constant added to the variance.

    Returns:
        The normalised inputs, the mean and the unbiased variance (channels,) of the whole batch.
    """
    if count() == 1:
        return tf.compat.v1.nn.fused_batch_norm(inputs, gamma, beta, epsilon=epsilon)
    axes = [0, 1, 2]
    own = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), inputs.dtype)
    sums = all_sum(tf.concat([tf.reduce_sum(inputs, axes), own[None]], axis=0))
    positions = sums[-1]
    mean = sums[:-1] / positions
    # Two passes: the difference of large sums of squares would be less exact.
    variance = all_sum(tf.reduce_sum(tf.square(inputs - mean), axes)) / positions
    outputs = (inputs - mean) * (tf.math.rsqrt(variance + epsilon) * gamma) + beta
    return outputs, mean, variance * positions / (positions - 1.0)


class Replicated(keras.layers.Layer):
    """A network that runs on this replica's share of the batch in training.

    Args:
        network: Network from (batch, ...) to (batch, values).
    """

    def __init__(self, network: keras.Model, **kwargs):
        super().__init__(name=network.name, **kwargs)
        self.network = network

    def build(self, input_shape):
        self.built = True  # the network is

    def call(self, inputs, training=False):
        if not training:
            return self.network(inputs, training=False)
        outputs = self.network(share(inputs), training=True)
        return join(outputs, tf.shape(inputs)[0])

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.network.output_shape[1:])


@keras.saving.register_keras_serializable("dcase_system")
class Dropout(keras.layers.Dropout):
    """Dropout that applies to a replica's share the mask one worker would use for the batch."""

    def call(self, inputs, training=False):
        if not (training and self.rate) or count() == 1:
            return super().call(inputs, training=training)
        examples = all_sum(tf.shape(inputs)[0])
        first, end = bounds(examples)
        shape = tf.shape(inputs)
        if self.noise_shape is not None:  # one draw for all values along an axis of size 1
            sizes = enumerate(self.noise_shape)
            shape = tf.stack([shape[axis] if size is None else size for axis, size in sizes])
        whole = tf.ones(tf.concat([[examples], shape[1:]], axis=0), inputs.dtype)
        kept = keras.random.dropout(whole, self.rate, seed=self.seed_generator)
        return inputs * kept[first:end]
