"""Plans of classifiers, and their trainings: augmentation and held-out clips."""

from dataclasses import dataclass

import keras
import numpy as np

from dcase_system.audio.clips import ClipSet
from dcase_system.audio.impulse_responses import DeviceAugmentation, ImpulseResponses
from dcase_system.audio.specs import FrontEndSpec
from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import Clips
from dcase_system.corpora.tags import presence
from dcase_system.corpora.validation_rows import validation_rows
from dcase_system.training.augmented import augmented_model
from dcase_system.training.fit import Training
from dcase_system.training.fit_plan import FitPlan
from dcase_system.training.predict import ValidationSet

_AUGMENTED_DEVICE = "a"
_VALIDATION_SEED = 0


@dataclass(frozen=True, kw_only=True)
class TrainingPlan(FitPlan):
    """Hyper-parameters of a classifier; the defaults are those of the 2024 baseline.

    Attributes:
        roll_seconds: Largest time roll.
        mask_mels: Largest frequency mask, in mel bands.
        mask_frames: Largest time mask, in frames.
        mixstyle_probability: Probability of applying Freq-MixStyle to a batch.
        mixstyle_alpha: Parameter of Freq-MixStyle's Beta distribution.
        mixup_alpha: Parameter of the Beta distribution by which pairs of waveforms and their
            targets are mixed; 0 for no mixup, as published.
        impulse_response_probability: Probability that a clip of device a is convolved with one.
        validation_fraction: Part of the list held out by location and scored after each epoch,
            for the log; 0 trains on all of it, as published.
        balanced: Whether an epoch draws all classes equally often, instead of each clip once.
    """

    roll_seconds: float = 0.1
    mask_mels: int = 48
    mask_frames: int = 0
    mixstyle_probability: float = 0.4
    mixstyle_alpha: float = 0.3
    mixup_alpha: float = 0.0
    impulse_response_probability: float = 0.0
    validation_fraction: float = 0.0
    balanced: bool = False


def prepare(
    network: keras.Model,
    front_end: FrontEndSpec,
    train: ClipSet,
    targets: np.ndarray,
    plan: TrainingPlan,
    impulse_responses: ImpulseResponses | None,
    only: np.ndarray | None = None,
) -> Training:
    """Adds front end and augmentation to a network, and splits off the held-out clips.

    The network is the last layer of the training's model.

    Args:
        network: Network from spectrogram to logits.
        front_end: Front end that makes the spectrogram.
        train: Clips of the training list.
        targets: (clips, ...) targets for the loss.
        plan: Hyper-parameters.
        impulse_responses: Impulse responses for device augmentation, if the plan uses it.
        only: Boolean mask (clips,) of the clips to train on and to hold out; None for all. Clips
            that are held out of the whole list are held out of a part of it too.

    Raises:
        InputError: The plan needs impulse responses and there are none.
    """
    if plan.impulse_response_probability and impulse_responses is None:
        raise InputError(
            "impulse responses are missing",
            where="training plan",
            expected=f"some, for a probability of {plan.impulse_response_probability:g}",
        )
    held_out = held_out_rows(train.clips, plan.validation_fraction)
    used = np.full(len(train), True) if only is None else only
    kept, held = np.flatnonzero(used & ~held_out), np.flatnonzero(used & held_out)
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


def label_loss(several_labels: bool, smoothing: float = 0.0) -> keras.losses.Loss:
    """Returns the loss of labels and logits: binary cross-entropy if clips have several labels.

    Args:
        several_labels: Whether a clip may have several labels.
        smoothing: Share of the labels that is spread evenly over the classes, or over present and
            absent if there are several labels.
    """
    of_labels = keras.losses.CategoricalCrossentropy
    loss = keras.losses.BinaryCrossentropy if several_labels else of_labels
    return loss(from_logits=True, label_smoothing=smoothing)


def held_out_rows(train: Clips, fraction: float) -> np.ndarray:
    """Returns a boolean mask (clips,) of the clips held out by a `validation_fraction`.

    They are the same for every seed, so seeds and members can be compared on them.
    """
    return validation_rows(train, fraction, _VALIDATION_SEED)
