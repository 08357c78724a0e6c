"""The ensemble of teachers: the mean of their logits, and their agreement."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import entr, softmax

from dcase_system.training.metrics import macro_score
from dcase_system.training.multilabel import mean_average_precision


def ensemble_logits(members: Mapping[str, np.ndarray]) -> np.ndarray:
    """Averages the members' logits, (clips, classes), as CP-JKU do.

    Raises:
        ValueError: There is no member, or their shapes differ.
    """
    if len({logits.shape for logits in members.values()}) != 1:
        shapes = {name: logits.shape for name, logits in members.items()}
        raise ValueError(f"expected members of one shape, received {shapes}")
    return np.mean(list(members.values()), axis=0)


def describe_ensemble(members: Mapping[str, np.ndarray], labels: np.ndarray) -> dict[str, Any]:
    """Computes accuracy, log loss, entropy and agreement of each member and of the ensemble.

    Args:
        members: Logits (clips, classes), keyed by member name.
        labels: Class indices (clips,), or labels (clips, classes).

    Returns:
        By name, with `ensemble` last: macro `accuracy` in percent, macro `logloss` and mean
        `entropy` in nats, and `agreement` with the ensemble's decisions in percent; for several
        labels a clip the mean average precision `map` alone.
    """
    combined = ensemble_logits(members)
    named = {**members, "ensemble": combined}
    if labels.ndim == 2:
        return {
            name: {"map": mean_average_precision(logits, labels)} for name, logits in named.items()
        }
    decided = combined.argmax(axis=-1)
    rows = {}
    for name, logits in named.items():
        probabilities = softmax(logits.astype(np.float64), axis=-1)
        scored = macro_score(probabilities, labels)
        rows[name] = {
            "accuracy": scored.accuracy,
            "logloss": scored.logloss,
            "entropy": float(entr(probabilities).sum(axis=-1).mean()),
            "agreement": float(100 * (logits.argmax(axis=-1) == decided).mean()),
        }
    return rows
