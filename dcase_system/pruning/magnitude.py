"""TF-MOT's magnitude pruning through tf_keras, the only Keras its wrappers accept.

It sets single weights to zero. The network keeps its shape: what the rules since 2022 count stays,
and so does the time on a device without kernels for sparse weights; `complexity.sparsity` reports
that. Imports tf_keras, which takes seconds: import this module where it is needed.
"""

from collections.abc import Callable, Iterator

import keras
import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.sparsity import keras as tfmot

from dcase_system.models.tf_keras import compile_model, copy_weights, to_tf_keras


@tf.autograph.experimental.do_not_convert
def prune_magnitude(
    network: keras.Model,
    batches: Iterator,
    schedule: Callable,
    *,
    loss: Callable,
    epochs: int,
    steps_per_epoch: int,
    learning_rate: float,
    warmup: int = 0,
    weight_decay: float = 1e-4,
    two_of_four: bool = False,
    on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> None:
    """Trains a network while TF-MOT sets its smallest weights to zero; in place.

    The kernels of convolutions and dense layers are pruned, depthwise ones are not (TF-MOT's own
    choice). AdamW, linear warm-up, then a half cosine, as `training.fit` has them.

    Args:
        network: features to logits.
        batches: endless, of (features, targets).
        schedule: step to (whether to update, share of zeros), one of `schedules`.
        loss: of (targets, logits).
        epochs: of the training.
        steps_per_epoch: batches of an epoch.
        learning_rate: the highest.
        warmup: steps to it.
        weight_decay: decoupled.
        two_of_four: sets two of four neighbouring weights to zero, whatever the schedule's share.
        on_epoch: called with (epoch, loss) when the network has the weights of the epoch's end.

    Raises:
        InputError: the network has a layer that has no counterpart in tf_keras.
    """
    pattern = {"sparsity_m_by_n": (2, 4)} if two_of_four else {}
    wrapped = tfmot.prune_low_magnitude(to_tf_keras(network), pruning_schedule=schedule, **pattern)
    rate = tf_keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else learning_rate,
        epochs * steps_per_epoch - warmup,
        warmup_target=learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    optimizer = tf_keras.optimizers.AdamW(rate, weight_decay=weight_decay, epsilon=1e-8)
    compile_model(wrapped, optimizer, loss)

    def end_of_epoch(epoch: int, logs: dict[str, float]) -> None:
        copy_weights(wrapped, network)
        on_epoch(epoch + 1, logs["loss"])

    wrapped.fit(
        batches,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        # In this order: TF-MOT masks the weights once more at the end of an epoch.
        callbacks=[
            tfmot.UpdatePruningStep(),
            tf_keras.callbacks.LambdaCallback(on_epoch_end=end_of_epoch),
        ],
        verbose=0,
    )
