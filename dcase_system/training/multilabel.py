"""Mean average precision of multi-label predictions, as AudioSet is scored."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import average_precision_score

from dcase_system.core.errors import InputError
from dcase_system.training.metrics import cluster_draws, percentiles_95

_MOST_WEIGHTS = 4_000_000  # clips of all samples that are scored at once, for their memory


def mean_average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Average precision, averaged over the classes that have a positive clip; in [0, 1].

    scikit-learn counts a class without a positive as 0; here such a class is left out.

    Args:
        scores: (clips, classes) probabilities or logits: only their order matters.
        labels: (clips, classes), nonzero where the class is present.

    Raises:
        InputError: The shapes differ, a score is NaN or infinite (the training has diverged), or no
            class has a positive.
    """
    if scores.shape != labels.shape or scores.ndim != 2:
        raise InputError(
            "predictions and labels have different shapes",
            where="score",
            expected=f"(clips, classes) {labels.shape}",
            received=scores.shape,
        )
    if not np.isfinite(scores).all():
        raise InputError("predictions are NaN", where="score", expected="finite numbers")
    positive = labels != 0
    occurs = positive.any(axis=0)
    if not occurs.any():
        raise InputError("no class has a positive clip", where="score", expected="at least one")
    return float(average_precision_score(positive[:, occurs], scores[:, occurs]))


def chance_precision(labels: np.ndarray) -> float:
    """Returns the mean average precision of scores in random order; in [0, 1].

    It is the share of clips with the class, averaged over the classes that have a positive clip.

    Args:
        labels: (clips, classes), nonzero where the class is present; at least one.
    """
    shares = (labels != 0).mean(axis=0)
    return float(shares[shares > 0].mean())


def average_precisions(
    scores: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Average precision of each class, in [0, 1]; NaN for a class without a positive clip.

    Args:
        scores: (clips, classes) probabilities or logits.
        labels: (clips, classes), nonzero where the class is present.
        weights: (samples, clips) how often each clip counts in each of several samples of clips.

    Returns:
        (classes,), or (samples, classes) with weights.
    """
    counts = np.ones((1, len(scores))) if weights is None else weights
    found = np.stack(
        [
            _average_precision(*of_class, counts)
            for of_class in zip(scores.T, labels.T, strict=True)
        ],
        axis=1,
    )
    return found[0] if weights is None else found


def _average_precision(scores: np.ndarray, labels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Sums, over the thresholds, the recall that is gained times the precision: (samples,)."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # equal scores: one
    taken = np.cumsum(counts[:, order], axis=1)[:, ends]
    hits = np.cumsum(counts[:, order] * (labels[order] != 0), axis=1)[:, ends]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(taken > 0, hits / taken, 0.0)
        return (np.diff(hits, axis=1, prepend=0) * precision).sum(axis=1) / hits[:, -1]


def clustered_intervals(
    scores: np.ndarray,
    labels: np.ndarray,
    clusters: Sequence[str],
    *,
    draws: int = 1_000,
    seed: int = 0,
) -> tuple[tuple[float, float], list[tuple[float, float] | None]] | None:
    """95 % bootstrap intervals of the mean average precision and of each class's.

    Resamples whole recordings, as `metrics.clustered_interval` does.

    Args:
        scores: (clips, classes) probabilities or logits.
        labels: (clips, classes), nonzero where the class is present.
        clusters: Recording (or group of them) of each clip.
        draws: Number of bootstrap samples.
        seed: Seed for resampling.

    Returns:
        The interval of the mean, and that of each class or None without a positive clip; None if
        all clips are of one recording, so that there is nothing to resample.
    """
    names, cluster_of = np.unique(np.array(clusters), return_inverse=True)
    if len(names) < 2:
        return None
    drawn = cluster_draws(len(names), draws, seed)
    few = max(1, _MOST_WEIGHTS // len(scores))  # samples at once
    found = np.concatenate(
        [
            average_precisions(scores, labels, drawn[start : start + few][:, cluster_of])
            for start in range(0, draws, few)
        ]
    )
    of_classes: list[tuple[float, float] | None] = []
    for values in found.T:
        known = values[~np.isnan(values)]
        of_classes.append(percentiles_95(known) if known.size else None)
    means = np.nanmean(found[~np.isnan(found).all(axis=1)], axis=1)
    return percentiles_95(means), of_classes
