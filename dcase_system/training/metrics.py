"""Macro accuracy and log loss: overall, by class, by device and by device group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, log_loss
from sklearn.utils.class_weight import compute_sample_weight

from dcase_system.core.errors import InputError


@dataclass(frozen=True)
class Score:
    """Accuracy in percent, log loss in nats, and the number of clips they cover."""

    accuracy: float
    logloss: float
    clips: int


@dataclass(frozen=True)
class Scores:
    """Scores of one system on one list.

    Attributes:
        overall: Means over the classes that occur (macro averages), as DCASE ranks systems.
        class_wise: Scores by scene.
        device_wise: Scores by device; mean over the device's clips, as in the 2024 baseline.
        group_wise: Scores by device group (real, seen, unseen); mean over the group's clips.
    """

    overall: Score
    class_wise: dict[str, Score]
    device_wise: dict[str, Score]
    group_wise: dict[str, Score]


def macro_score(probabilities: np.ndarray, labels: np.ndarray) -> Score:
    """Macro-averaged score: the mean over each class's clips, then over the classes that occur.

    Args:
        probabilities: (clips, classes) in double precision; each row sums to 1.
        labels: (clips,) class indices.

    Raises:
        InputError: A probability is NaN or infinite: the training has diverged.
    """
    if not np.isfinite(probabilities).all():
        raise InputError("predictions are NaN", where="score", expected="finite probabilities")
    return _score(probabilities, labels, compute_sample_weight("balanced", labels))


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error in percent (Guo et al. 2017): how far certainty is from accuracy.

    Clips are sorted into bins of equal width by the largest probability; each bin counts by its
    clips.

    Args:
        probabilities: (clips, classes); each row sums to 1.
        labels: (clips,) class indices.
        bins: Number of bins.
    """
    certainty = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((certainty * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=certainty - correct)  # per bin, times its clips
    return float(100 * np.abs(gaps).sum() / len(labels))


def score(
    probabilities: np.ndarray,
    labels: np.ndarray,
    scenes: Sequence[str],
    devices: Sequence[str],
    groups: Mapping[str, Sequence[str]],
) -> Scores:
    """Scores predictions.

    Args:
        probabilities: (clips, classes) in double precision; each row sums to 1.
        labels: (clips,) class indices.
        scenes: Class names in label order.
        devices: Device of each clip.
        groups: Devices of each device group.

    Raises:
        InputError: A probability is NaN or infinite: the training has diverged.
    """
    overall, by_class = score_classes(probabilities, labels, scenes)
    device_of = np.array(devices)

    def of(rows: np.ndarray) -> Score:
        return _score(probabilities[rows], labels[rows])

    by_device = {str(device): of(device_of == device) for device in np.unique(device_of)}
    by_group = {name: of(np.isin(device_of, members)) for name, members in groups.items()}
    return Scores(overall, by_class, by_device, by_group)


def score_classes(
    probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> tuple[Score, dict[str, Score]]:
    """Macro-averaged score and the score of each class that occurs.

    Args:
        probabilities: (clips, classes) in double precision; each row sums to 1.
        labels: (clips,) class indices.
        classes: Class names in label order.

    Raises:
        InputError: A probability is NaN or infinite: the training has diverged.
    """
    overall = macro_score(probabilities, labels)
    rows = {name: labels == index for index, name in enumerate(classes)}
    by_class = {
        name: _score(probabilities[of_class], labels[of_class])
        for name, of_class in rows.items()
        if of_class.any()
    }
    return overall, by_class


def _score(
    probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
) -> Score:
    classes = range(probabilities.shape[1])
    return Score(
        100 * float(accuracy_score(labels, probabilities.argmax(axis=-1), sample_weight=weights)),
        float(log_loss(labels, probabilities, labels=classes, sample_weight=weights)),
        len(labels),
    )


def clustered_interval(
    correct: np.ndarray,
    labels: np.ndarray,
    clusters: Sequence[str],
    *,
    draws: int = 1_000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % bootstrap interval of the macro accuracy, in percent, resampling whole recordings.

    Clips from one recording are near-copies of each other, so resampling clips would make the
    interval far too narrow.

    Args:
        correct: (clips,) whether each prediction is correct; for the difference of two systems,
            correct in the first minus correct in the second.
        labels: (clips,) class indices.
        clusters: Recording (or location) of each clip.
        draws: Number of bootstrap samples.
        seed: Seed for resampling.
    """
    names, cluster_of = np.unique(np.array(clusters), return_inverse=True)
    classes = int(labels.max()) + 1
    # (recordings, classes): clips and hits, so that one bootstrap sample is two matrix products
    cells = cluster_of * classes + labels
    clips = np.bincount(cells, minlength=len(names) * classes).reshape(len(names), classes)
    hits = np.bincount(cells, weights=correct, minlength=len(names) * classes).reshape(
        len(names), classes
    )
    counts = cluster_draws(len(names), draws, seed)
    drawn = counts @ clips  # (draws, classes)
    with np.errstate(invalid="ignore", divide="ignore"):
        accuracies = np.nanmean(np.where(drawn > 0, counts @ hits / drawn, np.nan), axis=1)
    return percentiles_95(100 * accuracies)


def clustered_interval_or_none(
    correct: np.ndarray, labels: np.ndarray, clusters: Sequence[str]
) -> tuple[float, float] | None:
    """Returns `clustered_interval`, or None if all clips are of one recording.

    Args:
        correct: See `clustered_interval`.
        labels: See `clustered_interval`.
        clusters: See `clustered_interval`.
    """
    if len(set(clusters)) < 2:
        return None  # nothing to resample
    return clustered_interval(correct, labels, clusters)


def cluster_draws(clusters: int, draws: int, seed: int) -> np.ndarray:
    """Draws bootstrap samples: how often each cluster is in each, (draws, clusters)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(clusters, np.full(clusters, 1 / clusters), size=draws)


def percentiles_95(values: np.ndarray) -> tuple[float, float]:
    """Returns the ends of the interval that holds 95 % of the values."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def intervals(
    correct: np.ndarray,
    labels: np.ndarray,
    scenes: Sequence[str],
    devices: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    clusters: Sequence[str],
) -> dict[str, Any]:
    """95 % intervals of the accuracies from `score`, in percent, keyed by its field names.

    A part whose clips all come from one recording has no interval.

    Args:
        correct: (clips,) whether each prediction is correct.
        labels: (clips,) class indices.
        scenes: Class names in label order.
        devices: Device of each clip.
        groups: Devices of each device group.
        clusters: Recording (or location) of each clip.
    """
    cluster_of, device_of = np.array(clusters), np.array(devices)

    def of(rows: np.ndarray, classes: np.ndarray) -> tuple[float, float] | None:
        return clustered_interval_or_none(correct[rows], classes[rows], cluster_of[rows])

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
