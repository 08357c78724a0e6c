"""The training loop of every classifier in the package."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcase_system.core.errors import InputError
from dcase_system.parallel.workers import team
from dcase_system.training import callbacks as cb
from dcase_system.training.averaging import AverageWeights
from dcase_system.training.batches import (
    Augmentation,
    ErrorForwarding,
    Examples,
    epoch_steps,
    training_batches,
)
from dcase_system.training.fit_plan import FitPlan, optimizer_of
from dcase_system.training.log import TrainingLog
from dcase_system.training.predict import Predictor, Validate, ValidationSet, score_validation


@dataclass(frozen=True)
class Training:
    """A model and its clips, ready for training.

    Attributes:
        model: Model from waveforms (batch, samples) to logits.
        waveforms: Clips to train on.
        targets: (clips, ...) targets for the loss.
        augmentation: Augmentation of the waveforms before they reach the model, or None.
        validation: Held-out clips, or None. They are scored after each epoch, for the log only; the
            last epoch is always kept.
        shares: (clips,) probabilities of drawing each clip, or None for each clip once an epoch.
    """

    model: keras.Model
    waveforms: Examples
    targets: np.ndarray
    augmentation: Augmentation | None = None
    validation: ValidationSet | None = None
    shares: np.ndarray | None = None

    def validate(self, batch_size: int) -> Validate | None:
        """Returns a function that scores the held-out clips, or None if there are none."""
        if self.validation is None:
            return None
        return partial(score_validation, Predictor(self.model), self.validation, batch_size)


def fit(
    training: Training,
    plan: FitPlan,
    *,
    loss: keras.losses.Loss | Callable,
    metrics: Sequence[keras.metrics.Metric | Callable] = (),
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint: Path,
    metrics_log: TrainingLog,
    name: str = "training",
    later_epochs: int = 0,
    averaging: AverageWeights | None = None,
) -> None:
    """Trains a model in place, to the last epoch, with Adam.

    An interrupted training resumes from its checkpoint and ends with the same weights.

    Args:
        training: Model and clips.
        plan: Hyper-parameters.
        loss: Function of (targets, logits).
        metrics: Metrics logged with the loss.
        callbacks: Further callbacks, called before the log is written and the checkpoint is saved.
        checkpoint: Path of a `.safetensors` file, updated during training, restored if it exists.
        metrics_log: Log that gets one row per epoch; closed at the end.
        name: Name shown with the progress.
        later_epochs: Epochs of the trainings after this one, for the time left.
        averaging: Average of the weights that the model ends with; None for the last weights.

    Raises:
        InputError: The checkpoint is not of this model, the loss is not finite, or gradients
            accumulate or weights are averaged on several devices.
    """
    if averaging is not None and team().devices > 1:
        raise InputError(
            "averaged weights are not supported on several devices",
            where="ema_decay",
            expected="0, or one device",
            received=averaging.decay,
        )
    if plan.accumulation > 1 and team().devices > 1:
        raise InputError(
            "gradient accumulation is not supported on several devices",
            where="accumulation",
            expected="1, with correspondingly larger batches",
            received=plan.accumulation,
        )
    model, waveforms, targets = training.model, training.waveforms, training.targets
    steps_per_epoch = epoch_steps(len(waveforms), plan.batch_size)
    optimizer = optimizer_of(plan, steps_per_epoch, averaging.decay if averaging else 0.0)
    # XLA takes minutes to compile depthwise convolutions on a CPU and is no faster.
    model.compile(optimizer, loss, metrics=list(metrics) or None, jit_compile=False)
    saver = cb.Checkpoint(checkpoint, steps_per_epoch)
    first_epoch = saver.restore(model)
    if first_epoch >= plan.epochs:
        return
    if metrics:
        # Building the metrics' variables in the first step would trace that step twice.
        first = waveforms.gather(np.arange(1))
        model.compute_metrics(first, targets[:1], model(first, training=False))
    watchers: list[keras.callbacks.Callback] = [*callbacks, cb.StopIfDiverged()]
    if averaging is not None:
        watchers.append(averaging)
    if (validate := training.validate(plan.batch_size)) is not None:
        watchers.append(cb.Validation(validate))
    watchers += [
        cb.Progress(name, steps_per_epoch, first_epoch, plan.epochs, later_epochs),
        cb.MetricsLog(metrics_log),
        saver,
    ]
    forwarding = ErrorForwarding(waveforms)
    with metrics_log, forwarding.faults_raised():
        batches = training_batches(
            forwarding,
            targets,
            plan.batch_size,
            seed=plan.seed,
            first_epoch=first_epoch,
            augmentation=training.augmentation,
            shares=training.shares,
        )
        _run_epochs(model, batches, range(first_epoch, plan.epochs), steps_per_epoch, watchers)


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
