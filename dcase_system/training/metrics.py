"""Macro accuracy and log loss: overall, by class, by device and by device group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcase_system.errors import InputError

_SMALLEST_PROBABILITY = 1e-15  # as in scikit-learn's log_loss: an impossible class costs 34.5 nats


@dataclass(frozen=True)
class Score:
    """Accuracy in percent, log loss in nats, and the number of clips they were taken over."""

    accuracy: float
    logloss: float
    clips: int


@dataclass(frozen=True)
class Scores:
    """Scores of one system on one list.

    Attributes:
        overall: means over the classes that occur (macro averages), as DCASE ranks systems.
        class_wise: by scene.
        device_wise: by device; mean over the device's clips, as in the 2024 baseline's table.
        group_wise: by device group (real, seen, unseen); mean over the group's clips.
    """

    overall: Score
    class_wise: dict[str, Score]
    device_wise: dict[str, Score]
    group_wise: dict[str, Score]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of (clips, classes) logits, in double precision."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def clip_losses(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Log loss of each clip in nats: -log of the probability given to its own class."""
    of_label = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.maximum(of_label, _SMALLEST_PROBABILITY))


def macro_mean(values: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the classes that occur of the mean over each class's clips."""
    return float(np.mean([values[labels == label].mean() for label in np.unique(labels)]))


def score(
    probabilities: np.ndarray,
    labels: np.ndarray,
    scenes: Sequence[str],
    devices: Sequence[str],
    groups: Mapping[str, Sequence[str]],
) -> Scores:
    """Scores predictions.

    Args:
        probabilities: (clips, classes).
        labels: (clips,) class indices.
        scenes: class names in label order.
        devices: device of each clip.
        groups: devices of each device group.

    Raises:
        InputError: a probability is NaN or infinite: the training has diverged.
    """
    overall, by_class = score_classes(probabilities, labels, scenes)
    correct, losses = _clip_scores(probabilities, labels)
    device_of = np.array(devices)

    def of(rows: np.ndarray) -> Score:
        return _mean_score(correct, losses, rows)

    by_device = {str(device): of(device_of == device) for device in np.unique(device_of)}
    by_group = {name: of(np.isin(device_of, members)) for name, members in groups.items()}
    return Scores(overall, by_class, by_device, by_group)


def score_classes(
    probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> tuple[Score, dict[str, Score]]:
    """Means over the classes that occur, and the score of each of these.

    Args:
        probabilities: (clips, classes).
        labels: (clips,) class indices.
        classes: names in label order.

    Raises:
        InputError: a probability is NaN or infinite: the training has diverged.
    """
    if not np.isfinite(probabilities).all():
        raise InputError("predictions are NaN", where="score", expected="finite probabilities")
    correct, losses = _clip_scores(probabilities, labels)
    by_class = {
        name: _mean_score(correct, losses, labels == index)
        for index, name in enumerate(classes)
        if (labels == index).any()
    }
    overall = Score(100 * macro_mean(correct, labels), macro_mean(losses, labels), len(labels))
    return overall, by_class


def _clip_scores(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each clip is right, and its log loss."""
    return probabilities.argmax(axis=-1) == labels, clip_losses(probabilities, labels)


def _mean_score(correct: np.ndarray, losses: np.ndarray, rows: np.ndarray) -> Score:
    return Score(float(100 * correct[rows].mean()), float(losses[rows].mean()), int(rows.sum()))


def clustered_interval(
    correct: np.ndarray,
    labels: np.ndarray,
    clusters: Sequence[str],
    *,
    draws: int = 1_000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % bootstrap interval of the macro accuracy, in percent, resampling whole recordings.

    Clips of one recording are near copies of each other: resampling clips would make the interval
    far too narrow.

    Args:
        correct: (clips,) whether each prediction is right; of a difference of two systems, right by
            the one less right by the other.
        labels: (clips,) class indices.
        clusters: recording (or location) of each clip.
        draws: bootstrap samples.
        seed: of the resampling.
    """
    names, cluster_of = np.unique(np.array(clusters), return_inverse=True)
    classes = int(labels.max()) + 1
    # (recordings, classes): clips and hits, so that one draw is two matrix products
    cells = cluster_of * classes + labels
    clips = np.bincount(cells, minlength=len(names) * classes).reshape(len(names), classes)
    hits = np.bincount(cells, weights=correct, minlength=len(names) * classes).reshape(
        len(names), classes
    )
    counts = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=draws
    )
    drawn = counts @ clips  # (draws, classes)
    with np.errstate(invalid="ignore", divide="ignore"):
        accuracies = np.nanmean(np.where(drawn > 0, counts @ hits / drawn, np.nan), axis=1)
    low, high = np.percentile(100 * accuracies, [2.5, 97.5])
    return float(low), float(high)


def intervals(
    correct: np.ndarray,
    labels: np.ndarray,
    scenes: Sequence[str],
    devices: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    clusters: Sequence[str],
) -> dict[str, Any]:
    """95 % intervals of the accuracies that `score` gives, in percent, by the names of its fields.

    A part whose clips are all of one recording has no interval: there is nothing to resample.

    Args:
        correct: (clips,) whether each prediction is right.
        labels: (clips,) class indices.
        scenes: class names in label order.
        devices: device of each clip.
        groups: devices of each device group.
        clusters: recording (or location) of each clip.
    """
    cluster_of, device_of = np.array(clusters), np.array(devices)

    def of(rows: np.ndarray, classes: np.ndarray) -> tuple[float, float] | None:
        if len(set(cluster_of[rows])) < 2:
            return None
        return clustered_interval(correct[rows], classes[rows], cluster_of[rows])

    one_class = np.zeros_like(labels)  # means over clips, not over classes
    return {
        "overall": of(np.full(len(labels), True), labels),
        "class_wise": {
            name: of(labels == index, one_class)
            for index, name in enumerate(scenes)
            if (labels == index).any()
        },
        "device_wise": {
            str(device): of(device_of == device, one_class) for device in np.unique(device_of)
        },
        "group_wise": {
            name: of(np.isin(device_of, members), one_class) for name, members in groups.items()
        },
    }


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """(classes, classes) clips of each class (row) that were taken for each class (column)."""
    cells = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)
