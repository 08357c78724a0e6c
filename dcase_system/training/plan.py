"""Training plans, and the training of one classifier from a plan."""

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
from dcase_system.corpora.corpus import Clips
from dcase_system.corpora.tags import presence
from dcase_system.corpora.validation_rows import validation_rows
from dcase_system.training.augmented import augmented_model
from dcase_system.training.fit import fit
from dcase_system.training.log import TrainingLog
from dcase_system.training.predict import Predictor, ValidationSet, score_validation
from dcase_system.training.schedule import ScheduleName

Validate = Callable[[], dict[str, float]]  # scores of the held-out clips, as they are logged
_AUGMENTED_DEVICE = "a"
# The held-out part is the same for every seed, so seeds and members can be compared on it.
VALIDATION_SEED = 0


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """Hyper-parameters of a training; the defaults are those of the 2024 baseline.

    Attributes:
        epochs: Number of passes over the training list.
        batch_size: Clips in memory at once; they share their batch-norm statistics.
        accumulation: Batches per optimiser step.
        learning_rate: Peak learning rate of AdamW.
        weight_decay: Decoupled weight decay.
        schedule: Learning-rate schedule, see `training.fit`.
        warmup_steps: Warm-up steps; None takes the published 2,000, or 7 % of a run under 4,000
            steps.
        roll_seconds: Largest time roll.
        mask_mels: Largest frequency mask, in mel bands.
        mask_frames: Largest time mask, in frames.
        mixstyle_probability: Probability of applying Freq-MixStyle to a batch.
        mixstyle_alpha: Parameter of Freq-MixStyle's Beta distribution.
        impulse_response_probability: Probability that a clip of device a is convolved with one.
        validation_fraction: Part of the list held out by location and scored after each epoch,
            for the log; 0 trains on all of it, as published.
        balanced: Whether an epoch draws all classes equally often, instead of each clip once.
        seed: Seed for everything random.
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
    balanced: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Training:
    """A network and its clips, ready for training.

    Attributes:
        model: Model from waveforms to logits, augmented in training; the network is its last layer.
        waveforms: Waveforms of the clips that are not held out.
        targets: (clips, ...) targets of the same clips.
        augmentation: Augmentation of the waveforms, or None.
        validation: Held-out clips, or None.
        shares: (clips,) probabilities of drawing each clip, or None for each clip once an epoch.
    """

    model: keras.Model
    waveforms: Waveforms
    targets: np.ndarray
    augmentation: DeviceAugmentation | None
    validation: ValidationSet | None
    shares: np.ndarray | None = None

    def validate(self, batch_size: int) -> Validate | None:
        """Returns a function that scores the held-out clips, or None if there are none."""
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
    """Adds front end and augmentation to a network, and splits off the held-out clips.

    Args:
        network: Network from spectrogram to logits.
        front_end: Front end that makes the spectrogram.
        train: Clips of the training list.
        targets: (clips, ...) targets for the loss.
        plan: Hyper-parameters.
        impulse_responses: Impulse responses for device augmentation, if the plan uses it.

    Raises:
        InputError: The plan needs impulse responses and there are none.
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
    shares = balanced_shares(train.clips.labels[kept]) if plan.balanced else None
    return Training(model, train.audio.take(kept), targets[kept], augmentation, validation, shares)


def balanced_shares(labels: np.ndarray) -> np.ndarray:
    """Returns probabilities (clips,) of drawing a class, and then one of the clips that have it.

    Args:
        labels: Class indices (clips,), or labels (clips, classes).
    """
    present = presence(labels).astype(np.float64)
    of_class = present[:, present.any(axis=0)]
    return (of_class / of_class.sum(axis=0)).mean(axis=1)


def label_loss(several_labels: bool) -> keras.losses.Loss:
    """Returns the loss of labels and logits: binary cross-entropy if clips have several labels."""
    if several_labels:
        return keras.losses.BinaryCrossentropy(from_logits=True)
    return keras.losses.CategoricalCrossentropy(from_logits=True)


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
    later_epochs: int = 0,
) -> None:
    """Trains a network in place according to a plan.

    Args:
        training: Training from `prepare`.
        plan: Hyper-parameters.
        loss: Function of (targets, logits).
        metrics: Metrics logged with the loss.
        callbacks: See `training.fit`.
        checkpoint: See `training.fit`.
        metrics_log: See `training.fit`.
        name: Name shown with the progress.
        later_epochs: See `training.fit`.

    Raises:
        InputError: The training diverges.
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
        shares=training.shares,
        seed=plan.seed,
        checkpoint=checkpoint,
        metrics_log=metrics_log,
        validation=training.validation,
        callbacks=callbacks,
        name=name,
        later_epochs=later_epochs,
    )


def trained_clips(train: Clips, fraction: float) -> int:
    """Number of clips of a training list that are not held out."""
    return int((~validation_rows(train, fraction, VALIDATION_SEED)).sum())


def held_out_rows(train: ClipSet, fraction: float) -> np.ndarray:
    """Boolean mask of the clips held out by a plan with this `validation_fraction`."""
    return validation_rows(train.clips, fraction, VALIDATION_SEED)
