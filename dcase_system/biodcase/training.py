"""Trains a network on features that are computed beforehand."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from dcase_system.audio.augment import AxisMask
from dcase_system.biodcase.features import FeatureSet
from dcase_system.corpora.tags import presence
from dcase_system.models import registry
from dcase_system.training.fit import Training, fit
from dcase_system.training.fit_plan import FitPlan
from dcase_system.training.log import TrainingLog
from dcase_system.training.mixup import Mixup, MixupTraining
from dcase_system.training.plan import balanced_shares
from dcase_system.training.seeds import derive, set_seed


@dataclass(frozen=True, kw_only=True)
class TinyPlan(FitPlan):
    """Hyper-parameters of a training.

    Attributes:
        architecture: Name in the registry.
        mask_mels: Largest frequency mask, in mel bands.
        mask_frames: Largest time mask, in frames.
        mixup: Whether clips are mixed in pairs with weights ~ U(0, 1).
        balanced: Whether an epoch draws all classes equally often.
    """

    architecture: str
    epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 0.003
    mask_mels: int = 8
    mask_frames: int = 24
    mixup: bool = True
    balanced: bool = False


def spec_for(plan: TinyPlan, classes: int, shape: tuple[int, ...]) -> Any:
    """Returns the spec of the plan's network for a number of classes and features of a shape."""
    spec = registry.named_spec(plan.architecture)
    return registry.for_clips(spec, classes, frames=shape[1])


def trained_network(
    spec: Any,
    clips: FeatureSet,
    plan: TinyPlan,
    *,
    checkpoint: Path,
    metrics_log: TrainingLog,
) -> keras.Model:
    """Builds and trains a network; an interrupted training resumes from its checkpoint.

    Args:
        spec: Spec of the network.
        clips: Training clips.
        plan: Hyper-parameters.
        checkpoint: See `training.fit`.
        metrics_log: See `training.fit`.

    Raises:
        InputError: Training diverges.
    """
    set_seed(plan.seed)
    network = registry.build(spec)
    x = inputs = keras.Input(clips.shape)
    for axis, width in ((1, plan.mask_mels), (2, plan.mask_frames)):
        x = AxisMask(axis, width, seed=derive(plan.seed, "mask", axis))(x)
    model = keras.Model(inputs, network(x))
    if plan.mixup:
        model = MixupTraining(model, Mixup(1.0, derive(plan.seed, "mixup")))
    model(clips.features[:1])
    targets = presence(clips.labels, spec.classes)
    shares = balanced_shares(clips.labels) if plan.balanced else None
    fit(
        Training(model, clips, targets, shares=shares),
        plan,
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        checkpoint=checkpoint,
        metrics_log=metrics_log,
        name=plan.architecture,
    )
    return network
