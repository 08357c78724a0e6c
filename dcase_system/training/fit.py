"""The one fit that trains every classifier of the package."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from dcase_system.training import callbacks as cb
from dcase_system.training.batches import (
    Augmentation,
    Examples,
    Watched,
    epoch_steps,
    prediction_batches,
    training_batches,
)
from dcase_system.training.log import TrainingLog
from dcase_system.training.metrics import clip_losses, macro_mean, softmax
from dcase_system.training.optimizers import Adam
from dcase_system.training.schedule import (
    ExponentialLinear,
    ScheduleName,
    StepDecay,
    Steps,
    WarmupCosine,
    warmup_steps,
)


@dataclass(frozen=True)
class ValidationSet:
    """Clips held out of the train list: their waveforms and (clips,) class indices."""

    waveforms: Examples
    labels: np.ndarray


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
    return keras.Model(waveforms, network(x), name=f"waveform_{network.name}")


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
        checkpoint: a `.npz` file, renewed as the training goes on and read when it exists.
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
        InputError: the checkpoint is not of this model, or the loss is no longer a number.
    """
    steps_per_epoch = epoch_steps(len(waveforms), batch_size)
    rate: float | keras.optimizers.schedules.LearningRateSchedule
    if isinstance(schedule, Steps):
        rate = StepDecay(learning_rate, schedule.factor, schedule.epochs * steps_per_epoch)
    elif schedule == "constant":
        rate = learning_rate
    elif schedule == "exponential_linear":
        rate = ExponentialLinear(learning_rate, steps_per_epoch)
    else:
        total_steps = epochs * steps_per_epoch
        rise = warmup_steps(total_steps) if warmup is None else warmup
        rate = WarmupCosine(learning_rate, rise, total_steps)
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
    watchers: list[keras.callbacks.Callback] = [*callbacks]
    if validation is not None:
        watchers.append(cb.Validation(lambda: _logged_scores(model, validation, batch_size)))
    watchers += [
        cb.Progress(name, steps_per_epoch, first_epoch, epochs),
        cb.StopIfDiverged(),
        cb.MetricsLog(metrics_log),
        saver,
    ]
    watched = Watched(waveforms)
    with metrics_log, watched.faults_raised():
        model.fit(
            training_batches(
                watched,
                targets,
                batch_size,
                seed=seed,
                first_epoch=first_epoch,
                augmentation=augmentation,
            ),
            epochs=epochs,
            initial_epoch=first_epoch,
            steps_per_epoch=steps_per_epoch,
            callbacks=watchers,
            shuffle=False,  # the dataset shuffles
            verbose=0,
        )


def predict(model: keras.Model, waveforms: Examples, batch_size: int = 64) -> np.ndarray:
    """Logits (clips, classes) of a model with the waveform as input."""
    steps = epoch_steps(len(waveforms), batch_size)
    watched = Watched(waveforms)
    with watched.faults_raised():
        return model.predict(prediction_batches(watched, batch_size), steps=steps, verbose=0)


def score_validation(
    model: keras.Model, validation: ValidationSet, batch_size: int
) -> tuple[float, float]:
    """Macro accuracy in percent and log loss."""
    return score_logits(predict(model, validation.waveforms, batch_size), validation.labels)


def score_logits(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Macro accuracy in percent and log loss of (clips, classes) logits."""
    probabilities = softmax(logits)
    hits, losses = probabilities.argmax(axis=-1) == labels, clip_losses(probabilities, labels)
    return 100 * macro_mean(hits, labels), macro_mean(losses, labels)


def _logged_scores(
    model: keras.Model, validation: ValidationSet, batch_size: int
) -> dict[str, float]:
    accuracy, logloss = score_validation(model, validation, batch_size)
    return {"val_accuracy": accuracy, "val_logloss": logloss}
