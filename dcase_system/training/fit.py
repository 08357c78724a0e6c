"""The training loop of every classifier in the package."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcase_system.core.errors import InputError
from dcase_system.parallel.replicas import Replicated
from dcase_system.parallel.workers import team
from dcase_system.training import callbacks as cb
from dcase_system.training.batches import (
    Augmentation,
    ErrorForwarding,
    Examples,
    epoch_steps,
    training_batches,
)
from dcase_system.training.log import TrainingLog
from dcase_system.training.optimizers import Adam
from dcase_system.training.predict import Predictor, ValidationSet, score_validation
from dcase_system.training.schedule import (
    ExponentialLinear,
    ScheduleName,
    Steps,
    warmup_cosine,
    warmup_steps,
)


def waveform_model(
    network: keras.Model,
    front_end: keras.layers.Layer,
    samples: int,
    *,
    waveform_augmentation: Sequence[keras.layers.Layer] = (),
    feature_augmentation: Sequence[keras.layers.Layer] = (),
) -> keras.Model:
    """Puts augmentation and the front end before a network: waveform in, logits out.

    Augmentation is active only in training. The network's weights are shared, not copied.

    Args:
        network: Network from features to logits.
        front_end: Layer from waveforms to features.
        samples: Clip length in samples.
        waveform_augmentation: Layers before the front end.
        feature_augmentation: Layers between the front end and the network.
    """
    waveforms = keras.Input((samples,), name="waveform")
    x = waveforms
    for layer in (*waveform_augmentation, front_end, *feature_augmentation):
        x = layer(x)
    return keras.Model(waveforms, Replicated(network)(x), name=f"waveform_{network.name}")


def fit(
    model: keras.Model,
    waveforms: Examples,
    targets: np.ndarray,
    *,
    loss: keras.losses.Loss | Callable,
    epochs: int,
    batch_size: int,
    seed: int,
    checkpoint: Path,
    metrics_log: TrainingLog,
    learning_rate: float = 0.005,
    weight_decay: float = 1e-4,
    l2: float = 0.0,
    schedule: ScheduleName | Steps = "warmup_cosine",
    warmup: int | None = None,
    accumulation: int = 1,
    augmentation: Augmentation | None = None,
    shares: np.ndarray | None = None,
    validation: ValidationSet | None = None,
    metrics: Sequence[keras.metrics.Metric | Callable] = (),
    callbacks: Sequence[keras.callbacks.Callback] = (),
    name: str = "training",
    later_epochs: int = 0,
) -> None:
    """Trains to the last epoch with Adam.

    An interrupted training resumes from its checkpoint and ends with the same weights.

    Args:
        model: Model from waveforms (batch, samples) to logits.
        waveforms: Clips to train on.
        targets: (clips, ...) targets for the loss.
        loss: Function of (targets, logits).
        epochs: Number of passes over the clips.
        batch_size: Clips per step; the last step of an epoch takes the remainder.
        seed: Seed for the order of the clips (the layers have their own).
        checkpoint: Path of a `.safetensors` file, updated during training, restored if it exists.
        metrics_log: Log that gets one row per epoch; closed at the end.
        learning_rate: Peak learning rate.
        weight_decay: Decoupled weight decay, applied to all parameters.
        l2: Multiple of each parameter that is added to its gradient.
        schedule: Learning-rate schedule: `warmup_cosine` per step, `exponential_linear` per epoch
            with PaSST's own constants, `constant`, or a stepwise decay.
        warmup: Warm-up steps of `warmup_cosine`; by default those of `schedule.warmup_steps`.
        accumulation: Batches whose gradients are averaged into one optimiser step; the schedule and
            the epochs count batches.
        augmentation: Augmentation of the waveforms before they reach the model.
        shares: See `training_batches`.
        validation: Clips scored after each epoch, for the log only; the last epoch is always kept.
        metrics: Metrics logged with the loss.
        callbacks: Further callbacks, called before the log is written and the checkpoint is saved.
        name: Name shown with the progress.
        later_epochs: Epochs of the trainings after this one, for the time left.

    Raises:
        InputError: The checkpoint is not of this model, the loss is not finite, or gradients
            accumulate on several devices.
    """
    if accumulation > 1 and team().devices > 1:
        raise InputError(
            "gradient accumulation is not supported on several devices",
            where="accumulation",
            expected="1, with correspondingly larger batches",
            received=accumulation,
        )
    steps_per_epoch = epoch_steps(len(waveforms), batch_size)
    rate: float | keras.optimizers.schedules.LearningRateSchedule
    if isinstance(schedule, Steps):
        rate = keras.optimizers.schedules.ExponentialDecay(
            learning_rate, schedule.epochs * steps_per_epoch, schedule.factor, staircase=True
        )
    elif schedule == "constant":
        rate = learning_rate
    elif schedule == "exponential_linear":
        rate = ExponentialLinear(learning_rate, steps_per_epoch)
    else:
        total_steps = epochs * steps_per_epoch
        rise = warmup_steps(total_steps) if warmup is None else warmup
        rate = warmup_cosine(learning_rate, rise, total_steps)
    optimizer = Adam(
        rate,
        weight_decay=weight_decay,
        l2=l2,
        epsilon=1e-8,
        gradient_accumulation_steps=accumulation if accumulation > 1 else None,
    )
    # XLA takes minutes to compile depthwise convolutions on a CPU and is no faster.
    model.compile(optimizer, loss, metrics=list(metrics) or None, jit_compile=False)
    saver = cb.Checkpoint(checkpoint, steps_per_epoch)
    first_epoch = saver.restore(model)
    if first_epoch >= epochs:
        return
    if metrics:
        # Building the metrics' variables in the first step would trace that step twice.
        first = waveforms.gather(np.arange(1))
        model.compute_metrics(first, targets[:1], model(first, training=False))
    watchers: list[keras.callbacks.Callback] = [*callbacks, cb.StopIfDiverged()]
    if validation is not None:
        predictor = Predictor(model)
        watchers.append(cb.Validation(lambda: score_validation(predictor, validation, batch_size)))
    watchers += [
        cb.Progress(name, steps_per_epoch, first_epoch, epochs, later_epochs),
        cb.MetricsLog(metrics_log),
        saver,
    ]
    forwarding = ErrorForwarding(waveforms)
    with metrics_log, forwarding.faults_raised():
        batches = training_batches(
            forwarding,
            targets,
            batch_size,
            seed=seed,
            first_epoch=first_epoch,
            augmentation=augmentation,
            shares=shares,
        )
        _run_epochs(model, batches, range(first_epoch, epochs), steps_per_epoch, watchers)


def training_step(model: keras.Model, batch_spec: Any) -> Callable[[Any], Mapping[str, tf.Tensor]]:
    """Builds a training step that takes a batch and returns the epoch's metrics so far.

    The step is traced once. Keras's own fit fails on several machines, so this runs its step.

    Args:
        model: Compiled model.
        batch_spec: Element spec of the batches' dataset.
    """
    strategy = team().strategy

    @tf.function(input_signature=[batch_spec], autograph=False)
    def step(batch):
        logs = strategy.run(model.train_step, args=(batch,))
        # Every replica computes the metrics of the whole batch.
        return tf.nest.map_structure(lambda one: strategy.experimental_local_results(one)[0], logs)

    return step


def _run_epochs(
    model: keras.Model,
    batches: tf.data.Dataset,
    epochs: range,
    steps_per_epoch: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    ends = {"epochs": epochs.stop, "steps": steps_per_epoch}
    watchers = keras.callbacks.CallbackList([*callbacks], model=model, **ends)
    step, stream = training_step(model, batches.element_spec), iter(batches)
    watchers.on_train_begin()
    for epoch in epochs:
        model.reset_metrics()
        watchers.on_epoch_begin(epoch)
        logs: Mapping[str, tf.Tensor] = {}
        for index in range(steps_per_epoch):
            watchers.on_train_batch_begin(index)
            logs = step(next(stream))
            watchers.on_train_batch_end(index, logs)
        watchers.on_epoch_end(epoch, {name: float(value) for name, value in logs.items()})
    watchers.on_train_end()
