"""The ensemble of teachers: the mean of their logits, and how they agree."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dcase_system.training.metrics import clip_losses, macro_mean, softmax


def ensemble_logits(members: Mapping[str, np.ndarray]) -> np.ndarray:
    """Mean of the members' logits, (clips, classes), as CP-JKU combine theirs.

    Raises:
        ValueError: there is no member, or their shapes differ.
    """
    if len({logits.shape for logits in members.values()}) != 1:
        shapes = {name: logits.shape for name, logits in members.items()}
        raise ValueError(f"expected members of one shape, received {shapes}")
    return np.mean(list(members.values()), axis=0)


def describe_ensemble(members: Mapping[str, np.ndarray], labels: np.ndarray) -> dict[str, Any]:
    """Accuracy, log loss, entropy and agreement of each member and of the ensemble.

    Args:
        members: logits (clips, classes) by the member's name.
        labels: (clips,) class indices.

    Returns:
        By name, with `ensemble` last: macro `accuracy` in percent, macro `logloss` and mean
        `entropy` in nats, and `agreement` with the ensemble's decisions in percent.
    """
    combined = ensemble_logits(members)
    decided = combined.argmax(axis=-1)
    rows = {}
    for name, logits in {**members, "ensemble": combined}.items():
        probabilities = softmax(logits)
        entropies = -(probabilities * np.log(np.maximum(probabilities, 1e-30))).sum(axis=-1)
        choices = logits.argmax(axis=-1)
        rows[name] = {
            "accuracy": 100 * macro_mean(choices == labels, labels),
            "logloss": macro_mean(clip_losses(probabilities, labels), labels),
            "entropy": float(entropies.mean()),
            "agreement": float(100 * (choices == decided).mean()),
        }
    return rows
