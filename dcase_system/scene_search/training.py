"""Training and scoring one network on segments (Wu & Lee, section 4)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcase_system.models import registry
from dcase_system.models.signature import Activation, clip_probabilities
from dcase_system.scene_search.features import Segments
from dcase_system.training.fit import fit
from dcase_system.training.log import TrainingLog
from dcase_system.training.metrics import score_classes
from dcase_system.training.mixup import MixupTraining
from dcase_system.training.plan import one_hot
from dcase_system.training.predict import predict
from dcase_system.training.schedule import Steps
from dcase_system.training.seeds import derive, set_seed
from dcase_system.training.statistics import recalibrate

ACTIVATION: Activation = "scaled_sigmoid"


@dataclass(frozen=True, kw_only=True)
class ScenePlan:
    """Hyper-parameters of a training; the defaults are those of a candidate in the search.

    Attributes:
        epochs: passes over the segments.
        batch_size: segments a step.
        learning_rate: of Adam, in the first epochs.
        factor: of the learning rate, each time it falls.
        fall_epochs: epochs from fall to fall.
        l2: in the gradients, as PyTorch's Adam has it.
        mixup: whether segments are mixed in pairs with weights ~ U(0, 1).
        calibration_segments: that the statistics of batch norm are taken from after the training,
            for trainings too short for moving ones; 0 keeps the moving ones, as published.
        seed: of everything random.
    """

    epochs: int = 3
    batch_size: int = 64
    learning_rate: float = 1e-3
    factor: float = 0.1
    fall_epochs: int = 1
    l2: float = 0.0015
    mixup: bool = True
    calibration_segments: int = 512
    seed: int = 0


FINAL_PLAN = ScenePlan(epochs=60, factor=0.5, fall_epochs=4, calibration_segments=0)
"""Of the chosen network, from scratch."""


@dataclass(frozen=True)
class SceneScore:
    """How well a network does on a list of clips.

    Attributes:
        accuracy: mean over the classes that occur, in percent, as DCASE ranks systems.
        clip_accuracy: share of all clips, in percent, as the paper gives it.
        loss: mean binary cross-entropy of all segments and classes, in nats, as the paper takes it.
        logloss: mean over the classes that occur, in nats, of the log loss of clips whose
            probabilities are scaled to sum to 1, as DCASE takes it.
        class_wise: `accuracy` and `logloss` of each class.
    """

    accuracy: float
    clip_accuracy: float
    loss: float
    logloss: float
    class_wise: dict[str, dict[str, float]]


MEASURES = tuple(field.name for field in fields(SceneScore))
"""Named by the stages that keep scores, so that none is taken for one with others."""


def trained_network(
    spec: Any,
    segments: Segments,
    labels: np.ndarray,
    plan: ScenePlan,
    *,
    checkpoint: Path,
    metrics_log: TrainingLog,
    name: str,
) -> keras.Model:
    """Builds a network and trains it; an interrupted training goes on from its checkpoint.

    Args:
        spec: of the network.
        segments: of the training clips.
        labels: (clips,) class indices.
        plan: hyper-parameters.
        checkpoint: see `training.fit`.
        metrics_log: see `training.fit`.
        name: shown with the progress.

    Raises:
        InputError: the training diverges.
    """
    keras.backend.clear_session()  # a search builds hundreds in one process
    set_seed(plan.seed)
    network = registry.build(spec)
    targets = one_hot(np.repeat(labels, segments.per_clip), network.output_shape[-1])
    model = MixupTraining(network, derive(plan.seed, "mixup")) if plan.mixup else network
    model(segments.gather(np.arange(1)))
    fit(
        model,
        segments,
        targets,
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        seed=plan.seed,
        checkpoint=checkpoint,
        metrics_log=metrics_log,
        learning_rate=plan.learning_rate,
        weight_decay=0.0,
        l2=plan.l2,
        schedule=Steps(plan.factor, plan.fall_epochs),
        name=name,
    )
    drawn = np.random.default_rng(plan.seed).permutation(len(segments))
    drawn = drawn[: plan.calibration_segments]
    starts = range(0, len(drawn), plan.batch_size)
    recalibrate(network, (segments.gather(drawn[i : i + plan.batch_size]) for i in starts))
    return network


def predict_clips(network: keras.Model, segments: Segments) -> np.ndarray:
    """Probabilities (clips, classes) of a network: the mean of the segments' sigmoids, scaled."""
    return clip_probabilities(predict(network, segments), segments.per_clip, ACTIVATION)


def score_segments(
    logits: np.ndarray, per_clip: int, labels: np.ndarray, classes: Sequence[str]
) -> SceneScore:
    """Scores the logits of segments.

    Args:
        logits: (clips * segments, classes), clip by clip.
        per_clip: segments a clip.
        labels: (clips,) class indices.
        classes: names in label order.

    Raises:
        InputError: a probability is NaN: the training has diverged.
    """
    probabilities = clip_probabilities(logits, per_clip, ACTIVATION)
    overall, by_class = score_classes(probabilities, labels, classes)
    targets = one_hot(np.repeat(labels, per_clip), len(classes))
    exact = logits.astype(np.float64)
    return SceneScore(
        accuracy=overall.accuracy,
        clip_accuracy=float(100 * (probabilities.argmax(axis=-1) == labels).mean()),
        loss=float((np.logaddexp(0.0, exact) - targets * exact).mean()),
        logloss=overall.logloss,
        class_wise={
            name: {"accuracy": one.accuracy, "logloss": one.logloss}
            for name, one in by_class.items()
        },
    )
