"""Mean average precision of multi-label predictions, as AudioSet is scored."""

import numpy as np
from sklearn.metrics import average_precision_score

from dcase_system.core.errors import InputError


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
