"""Mean average precision of multi-label predictions, as AudioSet is scored."""

from dataclasses import dataclass

import numpy as np

from dcase_system.errors import InputError


@dataclass(frozen=True)
class MultiLabelScore:
    """Scores of one system on one list.

    Attributes:
        mean_average_precision: mean over the classes that have a positive clip, in [0, 1].
        average_precisions: of each class; None where there is no positive.
        classes_without_positive: how many these are; they count for nothing.
        clips: how many were scored.
    """

    mean_average_precision: float
    average_precisions: tuple[float | None, ...]
    classes_without_positive: int
    clips: int


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Sum over thresholds of (recall gained) * precision; equal scores are one threshold.

    The same as scikit-learn's `average_precision_score`. Only the order of the scores counts, so
    logits serve as well as probabilities.

    Args:
        scores: (clips,).
        positive: (clips,) boolean; one at least is true.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last_of_equals = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    found = np.cumsum(positive[order])[last_of_equals]
    precision = found / (last_of_equals + 1)
    gained = np.diff(found, prepend=0) / found[-1]
    return float(np.sum(gained * precision))


def multilabel_score(scores: np.ndarray, labels: np.ndarray) -> MultiLabelScore:
    """Scores predictions: the macro average over the classes that occur.

    scikit-learn counts a class without a positive as 0; here it is left out, and counted.

    Args:
        scores: (clips, classes) probabilities or logits.
        labels: (clips, classes), not 0 where the class is present.

    Raises:
        InputError: the shapes differ, a score is NaN (the training has diverged), or no class has a
            positive.
    """
    if scores.shape != labels.shape or scores.ndim != 2:
        raise InputError(
            "predictions and labels have different shapes",
            where="score",
            expected=f"(clips, classes) {labels.shape}",
            received=scores.shape,
        )
    if np.isnan(scores).any():
        raise InputError("predictions are NaN", where="score", expected="numbers")
    positive = labels != 0
    each = tuple(
        average_precision(scores[:, index], positive[:, index])
        if positive[:, index].any()
        else None
        for index in range(scores.shape[1])
    )
    occurring = [value for value in each if value is not None]
    if not occurring:
        raise InputError("no class has a positive clip", where="score", expected="one at least")
    return MultiLabelScore(
        mean_average_precision=float(np.mean(occurring)),
        average_precisions=each,
        classes_without_positive=len(each) - len(occurring),
        clips=len(labels),
    )
