"""The one fit that trains every classifier of the package."""

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
    Examples,
    Watched,
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
    """Waveform in, logits out: the network behind its front end and the augmentation.

    The augmentation acts in training only. The network's own weights are shared, not copied.

    Args:
        network: features to logits.
        front_end: waveforms to features.
        samples: length of a clip.
        waveform_augmentation: layers before the front end.
        feature_augmentation: layers between front end and network.
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
    validation: ValidationSet | None = None,
    metrics: Sequence[keras.metrics.Metric | Callable] = (),
    callbacks: Sequence[keras.callbacks.Callback] = (),
    name: str = "training",
) -> None:
    """Trains to the last epoch with Adam.

    An interrupted training goes on from its checkpoint and ends with the same weights.

    Args:
        model: waveforms (batch, samples) to logits.
        waveforms: clips to train on.
        targets: (clips, ...) what the loss takes beside the logits.
        loss: of (targets, logits).
        epochs: passes over the clips.
        batch_size: clips a step; the last step of an epoch takes the rest.
        seed: of the order of the clips (the layers have their own).
        checkpoint: a `.safetensors` file, renewed as the training goes on and read when it exists.
        metrics_log: has one row an epoch; closed in the end.
        learning_rate: the highest.
        weight_decay: decoupled, on all parameters.
        l2: multiple of each parameter that is added to its gradient.
        schedule: of the learning rate: `warmup_cosine` per step, `exponential_linear` per epoch
            with PaSST's own constants, `constant`, or falling in steps.
        warmup: steps of `warmup_cosine`; by default those of `schedule.warmup_steps`.
        accumulation: batches whose mean gradient is one step of the optimiser; the schedule and the
            epochs count batches.
        augmentation: of the waveforms before they reach the model.
        validation: scored after each epoch, for the log only: the last epoch is what counts.
        metrics: logged beside the loss.
        callbacks: further ones, called before the log is written and the checkpoint is saved.
        name: shown with the progress.

    Raises:
        InputError: the checkpoint is not of this model, the loss is no longer a number, or
            gradients accumulate on several devices.
    """
    if accumulation > 1 and team().devices > 1:
        raise InputError(
            "gradients do not accumulate on several devices",
            where="accumulation",
            expected="1, with batches as many times larger",
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
        # Built in the first step, their variables would have it traced twice.
        first = waveforms.gather(np.arange(1))
        model.compute_metrics(first, targets[:1], model(first, training=False))
    watchers: list[keras.callbacks.Callback] = [*callbacks, cb.StopIfDiverged()]
    if validation is not None:
        predictor = Predictor(model)
        watchers.append(cb.Validation(lambda: _logged_scores(predictor, validation, batch_size)))
    watchers += [
        cb.Progress(name, steps_per_epoch, first_epoch, epochs),
        cb.MetricsLog(metrics_log),
        saver,
    ]
    watched = Watched(waveforms)
    with metrics_log, watched.faults_raised():
        batches = training_batches(
            watched,
            targets,
            batch_size,
            seed=seed,
            first_epoch=first_epoch,
            augmentation=augmentation,
        )
        _run_epochs(model, batches, range(first_epoch, epochs), steps_per_epoch, watchers)


def training_step(model: keras.Model, batch_spec: Any) -> Callable[[Any], Mapping[str, tf.Tensor]]:
    """What takes a batch and returns the metrics of the epoch so far; traced once.

    Keras's own fit fails where there are several machines: so this runs its step.

    Args:
        model: compiled.
        batch_spec: of the batches, as their dataset has it.
    """
    strategy = team().strategy

    @tf.function(input_signature=[batch_spec], autograph=False)
    def step(batch):
        logs = strategy.run(model.train_step, args=(batch,))
        # Every replica has measured the whole batch.
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


def _logged_scores(
    predictor: Predictor, validation: ValidationSet, batch_size: int
) -> dict[str, float]:
    accuracy, logloss = score_validation(predictor, validation, batch_size)
    return {"val_accuracy": accuracy, "val_logloss": logloss}
