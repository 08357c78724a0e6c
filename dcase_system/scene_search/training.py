"""Trains and scores one network on segments (Wu & Lee, section 4)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcase_system.corpora.tags import presence
from dcase_system.models import registry
from dcase_system.models.signature import Activation, clip_probabilities
from dcase_system.scene_search.features import Segments
from dcase_system.training.batch_norm import recalibrate
from dcase_system.training.fit import Training, fit
from dcase_system.training.fit_plan import FitPlan
from dcase_system.training.log import TrainingLog
from dcase_system.training.metrics import clustered_interval_or_none, score_classes
from dcase_system.training.mixup import Mixup, MixupTraining
from dcase_system.training.predict import predict
from dcase_system.training.schedule import ScheduleName, Steps
from dcase_system.training.seeds import derive, set_seed

ACTIVATION: Activation = "scaled_sigmoid"
_CANDIDATE_SCHEDULE = Steps(0.1, epochs=1)


@dataclass(frozen=True, kw_only=True)
class ScenePlan(FitPlan):
    """Hyper-parameters of a training; the defaults are those of a candidate in the search.

    A clip of the `FitPlan` is a segment here.

    Attributes:
        mixup: Whether segments are mixed in pairs with weights ~ U(0, 1).
        calibration_segments: Number of segments for recomputing batch norm statistics after a
            training too short for moving statistics; 0 keeps the moving ones, as published.
    """

    epochs: int = 3
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    l2: float = 0.0015  # as in PyTorch's Adam
    schedule: ScheduleName | Steps = _CANDIDATE_SCHEDULE
    mixup: bool = True
    calibration_segments: int = 512


FINAL_PLAN = ScenePlan(epochs=60, schedule=Steps(0.5, epochs=4), calibration_segments=0)
"""Plan for training the selected networks from scratch."""


@dataclass(frozen=True)
class SceneScore:
    """Scores of a network on a list of clips.

    Attributes:
        accuracy: Macro accuracy over the classes that occur, in percent, as DCASE ranks systems.
        clip_accuracy: Share of all clips that are correct, in percent, as in the paper.
        loss: Mean binary cross-entropy over all segments and classes, in nats, as in the paper.
        logloss: Macro log loss over the classes that occur, in nats, of clip probabilities scaled
            to sum to 1, as DCASE computes it.
        class_wise: `accuracy` and `logloss` of each class.
    """

    accuracy: float
    clip_accuracy: float
    loss: float
    logloss: float
    class_wise: dict[str, dict[str, float]]


MEASURES = tuple(field.name for field in fields(SceneScore))
"""Part of the key of stages that store scores, so that scores of other measures are not reused."""


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
    """Builds and trains a network; an interrupted training resumes from its checkpoint.

    Args:
        spec: Spec of the network.
        segments: Segments of the training clips.
        labels: Class indices (clips,).
        plan: Hyper-parameters.
        checkpoint: See `training.fit`.
        metrics_log: See `training.fit`.
        name: Name for the progress bar.

    Raises:
        InputError: Training diverges.
    """
    keras.backend.clear_session()  # a search builds hundreds of networks in one process
    set_seed(plan.seed)
    network = registry.build(spec)
    targets = presence(np.repeat(labels, segments.per_clip), network.output_shape[-1])
    mixup = Mixup(1.0, derive(plan.seed, "mixup"))
    model = MixupTraining(network, mixup) if plan.mixup else network
    model(segments.gather(np.arange(1)))
    fit(
        Training(model, segments, targets),
        plan,
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        checkpoint=checkpoint,
        metrics_log=metrics_log,
        name=name,
    )
    drawn = np.random.default_rng(plan.seed).permutation(len(segments))
    drawn = drawn[: plan.calibration_segments]
    starts = range(0, len(drawn), plan.batch_size)
    recalibrate(network, (segments.gather(drawn[i : i + plan.batch_size]) for i in starts))
    return network


def predict_clips(network: keras.Model, segments: Segments) -> np.ndarray:
    """Predicts probabilities (clips, classes): the scaled mean of the segments' sigmoids."""
    return clip_probabilities(predict(network, segments), segments.per_clip, ACTIVATION)


def score_intervals(
    logits: np.ndarray, per_clip: int, labels: np.ndarray, locations: Sequence[str]
) -> dict[str, tuple[float, float] | None]:
    """Computes 95 % intervals of the accuracies in a `SceneScore`, resampling locations.

    Args:
        logits: Logits (clips * segments, classes), clip by clip.
        per_clip: Segments per clip.
        labels: Class indices (clips,).
        locations: Location of each clip.

    Returns:
        Intervals of `accuracy` and `clip_accuracy`; None if all clips are of one location.
    """
    probabilities = clip_probabilities(logits, per_clip, ACTIVATION)
    correct = probabilities.argmax(axis=-1) == labels
    one_class = np.zeros_like(labels)  # a mean over clips, not over classes
    return {
        "accuracy": clustered_interval_or_none(correct, labels, locations),
        "clip_accuracy": clustered_interval_or_none(correct, one_class, locations),
    }


def score_segments(
    logits: np.ndarray, per_clip: int, labels: np.ndarray, classes: Sequence[str]
) -> SceneScore:
    """Scores the logits of segments.

    Args:
        logits: Logits (clips * segments, classes), clip by clip.
        per_clip: Segments per clip.
        labels: Class indices (clips,).
        classes: Class names, in label order.

    Raises:
        InputError: A probability is NaN, because training diverged.
    """
    probabilities = clip_probabilities(logits, per_clip, ACTIVATION)
    overall, by_class = score_classes(probabilities, labels, classes)
    targets = presence(np.repeat(labels, per_clip), len(classes))
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
