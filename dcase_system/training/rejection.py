"""Answering `unknown`: classes trained for it, and a threshold for the most probable class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

UNKNOWN = "unknown"  # the answer below a threshold
UNKNOWN_NAMES = (UNKNOWN, "background")  # classes that stand for it unless another one is named


@dataclass(frozen=True)
class Rejection:
    """How a run treats sounds of no class of interest.

    Attributes:
        classes: Classes that stand for such sounds; the others are the known ones.
        rate: Share of the known classes' held-out clips that the threshold may reject; None for no
            threshold.
    """

    classes: tuple[str, ...] = ()
    rate: float | None = None

    def indices(self, names: Sequence[str]) -> list[int]:
        """Returns the positions of its classes among the names of all."""
        return [names.index(name) for name in self.classes]


def rejection_threshold(probabilities: np.ndarray, rate: float) -> float:
    """Returns the largest threshold that rejects at most a share of clips.

    A clip is rejected if the probability of its most probable class is below the threshold, which
    is that of one of the clips: the (floor(rate * clips) + 1)-th smallest.

    Args:
        probabilities: (clips, classes) of clips that should not be rejected.
        rate: Share of them that may be, in [0, 1).
    """
    confidences = np.sort(probabilities.max(axis=-1))
    return float(confidences[int(rate * len(confidences))])


def rejection_scores(
    probabilities: np.ndarray, labels: np.ndarray, unknown: Sequence[int], threshold: float = 0.0
) -> dict[str, Any]:
    """Scores the answer `unknown`: a class that stands for it, or a probability below a threshold.

    Args:
        probabilities: (clips, classes).
        labels: (clips,) class indices.
        unknown: Indices of the classes that stand for unknown sounds; the others are known.
        threshold: Least probability of an answer.

    Returns:
        Of the clips of known classes, in percent: `accuracy`, macro, a rejected clip being wrong,
        and `false_rejections`. Of the others, in percent: `rejections` and `false_acceptances`,
        which sum to 100; None without such clips. Besides `known_clips` and `unknown_clips`.
    """
    decided, known = probabilities.argmax(axis=-1), ~np.isin(labels, unknown)
    rejected = (probabilities.max(axis=-1) < threshold) | np.isin(decided, unknown)
    right = (decided == labels) & ~rejected
    by_class = [right[labels == one].mean() for one in np.unique(labels[known])]
    rejections = None if known.all() else 100 * float(rejected[~known].mean())
    return {
        "accuracy": 100 * float(np.mean(by_class)),
        "false_rejections": 100 * float(rejected[known].mean()),
        "rejections": rejections,
        "false_acceptances": None if rejections is None else 100 - rejections,
        "known_clips": int(known.sum()),
        "unknown_clips": int((~known).sum()),
    }
