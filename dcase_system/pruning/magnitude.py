"""TF-MOT's magnitude pruning through tf_keras, the only Keras its wrappers accept.

It sets individual weights to zero. The network keeps its shape, so the costs counted by the rules
since 2022 stay the same, as does latency on a device without sparse kernels;
`complexity.sparsity` reports the zeros. Importing tf_keras takes seconds: import this module late.
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
    """Trains a network in place while TF-MOT sets its smallest weights to zero.

    Convolution and dense kernels are pruned, depthwise ones are not (TF-MOT's own choice). AdamW,
    linear warm-up, then a half cosine, as in `training.fit`.

    Args:
        network: Network from features to logits.
        batches: Endless iterator over (features, targets).
        schedule: Function from a step to (whether to update, share of zeros), from `schedules`.
        loss: Function of (targets, logits).
        epochs: Number of epochs.
        steps_per_epoch: Batches per epoch.
        learning_rate: Peak learning rate.
        warmup: Warm-up steps.
        weight_decay: Decoupled weight decay.
        two_of_four: Whether to set two of four neighbouring weights to zero, whatever the schedule.
        on_epoch: Called with (epoch, loss) once the network has the weights at the epoch's end.

    Raises:
        InputError: The network has a layer without counterpart in tf_keras.
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
        # The order matters: TF-MOT masks the weights once more at the end of an epoch.
        callbacks=[
            tfmot.UpdatePruningStep(),
            tf_keras.callbacks.LambdaCallback(on_epoch_end=end_of_epoch),
        ],
        verbose=0,
    )
