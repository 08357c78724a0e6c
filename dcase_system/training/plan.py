"""A training of one classifier on a training list, as a plan says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np

from dcase_system.audio.clips import ClipSet
from dcase_system.audio.front_ends import FrontEndSpec
from dcase_system.audio.impulse_responses import DeviceAugmentation, ImpulseResponses
from dcase_system.audio.store import Waveforms
from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import validation_rows
from dcase_system.training.augmented import augmented_model
from dcase_system.training.fit import fit
from dcase_system.training.log import TrainingLog
from dcase_system.training.predict import Predictor, ValidationSet, score_validation
from dcase_system.training.schedule import ScheduleName

# Scores the held-out clips in the middle of a training: (macro accuracy in percent, log loss).
Validate = Callable[[], tuple[float, float]]
_AUGMENTED_DEVICE = "a"
# The held-out part is the same for every seed, so that seeds and members can be compared on it.
VALIDATION_SEED = 0


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """Hyper-parameters of a training; the defaults are those of the 2024 baseline.

    Attributes:
        epochs: passes over the training list.
        batch_size: clips that are in memory together, with statistics of batch norm of their own.
        accumulation: batches a step of the optimiser.
        learning_rate: the highest, of AdamW.
        weight_decay: decoupled.
        schedule: of the learning rate, see `training.fit`.
        warmup_steps: None takes the published 2,000, or 7 % of a run under 4,000 steps.
        roll_seconds: largest time roll.
        mask_mels: largest frequency mask, in mel bands.
        mask_frames: largest time mask, in frames.
        mixstyle_probability: of Freq-MixStyle, by batch.
        mixstyle_alpha: of its Beta distribution.
        impulse_response_probability: that a clip of device a is convolved with one.
        validation_fraction: part of the list held out by location and scored after each epoch,
            for the log; 0 trains on all of it, as published.
        seed: of everything random.
    """

    epochs: int = 150
    batch_size: int = 256
    accumulation: int = 1
    learning_rate: float = 0.005
    weight_decay: float = 1e-4
    schedule: ScheduleName = "warmup_cosine"
    warmup_steps: int | None = None
    roll_seconds: float = 0.1
    mask_mels: int = 48
    mask_frames: int = 0
    mixstyle_probability: float = 0.4
    mixstyle_alpha: float = 0.3
    impulse_response_probability: float = 0.0
    validation_fraction: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Training:
    """A network with its clips, ready to be trained.

    Attributes:
        model: waveforms to logits, augmented in training; the network is its last layer.
        waveforms: of the clips that are not held out.
        targets: (clips, ...) of the same.
        augmentation: of the waveforms, or None.
        validation: the clips that are held out, or None.
    """

    model: keras.Model
    waveforms: Waveforms
    targets: np.ndarray
    augmentation: DeviceAugmentation | None
    validation: ValidationSet | None

    def validate(self, batch_size: int) -> Validate | None:
        """What scores the held-out clips, if there are any."""
        if self.validation is None:
            return None
        return partial(score_validation, Predictor(self.model), self.validation, batch_size)


def prepare(
    network: keras.Model,
    front_end: FrontEndSpec,
    train: ClipSet,
    targets: np.ndarray,
    plan: TrainingPlan,
    impulse_responses: ImpulseResponses | None,
) -> Training:
    """Puts a network behind its front end and augmentation, and holds clips out.

    Args:
        network: spectrogram to logits.
        front_end: what makes the spectrogram.
        train: clips of the training list.
        targets: (clips, ...) what the loss takes beside the logits.
        plan: hyper-parameters.
        impulse_responses: for the device augmentation, if the plan has any.

    Raises:
        InputError: the plan wants impulse responses and there are none.
    """
    if plan.impulse_response_probability and impulse_responses is None:
        raise InputError(
            "impulse responses are missing",
            where="training plan",
            expected=f"some, for a probability of {plan.impulse_response_probability:g}",
        )
    held_out = held_out_rows(train, plan.validation_fraction)
    kept, held = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    model = augmented_model(
        network,
        front_end,
        train.audio.shape[0],
        roll_seconds=plan.roll_seconds,
        mask_mels=plan.mask_mels,
        mask_frames=plan.mask_frames,
        mixstyle_probability=plan.mixstyle_probability,
        mixstyle_alpha=plan.mixstyle_alpha,
        seed=plan.seed,
    )
    augmentation = None
    if impulse_responses is not None and plan.impulse_response_probability:
        recorded_by_it = np.array(train.clips.devices)[kept] == _AUGMENTED_DEVICE
        augmentation = DeviceAugmentation(
            impulse_responses, recorded_by_it, plan.impulse_response_probability
        )
    validation = None
    if held.size:
        validation = ValidationSet(train.audio.take(held), train.clips.labels[held])
    return Training(model, train.audio.take(kept), targets[kept], augmentation, validation)


def train_classifier(
    training: Training,
    plan: TrainingPlan,
    *,
    loss: keras.losses.Loss,
    metrics: Sequence[keras.metrics.Metric | Callable],
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint: Path,
    metrics_log: TrainingLog,
    name: str,
) -> None:
    """Trains a network as a plan says; in place.

    Args:
        training: from `prepare`.
        plan: hyper-parameters.
        loss: of (targets, logits).
        metrics: logged beside the loss.
        callbacks: see `training.fit`.
        checkpoint: see `training.fit`.
        metrics_log: see `training.fit`.
        name: shown with the progress.

    Raises:
        InputError: the training diverges.
    """
    fit(
        training.model,
        training.waveforms,
        training.targets,
        loss=loss,
        metrics=metrics,
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        accumulation=plan.accumulation,
        learning_rate=plan.learning_rate,
        weight_decay=plan.weight_decay,
        schedule=plan.schedule,
        warmup=plan.warmup_steps,
        augmentation=training.augmentation,
        seed=plan.seed,
        checkpoint=checkpoint,
        metrics_log=metrics_log,
        validation=training.validation,
        callbacks=callbacks,
        name=name,
    )


def held_out_rows(train: ClipSet, fraction: float) -> np.ndarray:
    """Boolean mask of the clips that a plan with this `validation_fraction` does not train on."""
    return validation_rows(train.clips, fraction, VALIDATION_SEED)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Class indices (clips,) as float32 (clips, classes)."""
    return np.eye(classes, dtype=np.float32)[labels]
