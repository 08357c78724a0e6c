"""The ensemble of teachers: the mean of its members' answers, and their agreement."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from scipy.special import entr, log_softmax, logsumexp, softmax

from dcase_system.training.metrics import calibration_error, clustered_interval_or_none, macro_score
from dcase_system.training.multilabel import (
    chance_precision,
    clustered_intervals,
    mean_average_precision,
)

Average = Literal["logits", "probabilities"]
"""What is averaged over the members; the logarithm of mean probabilities serves as logits."""


def ensemble_logits(
    members: Mapping[str, np.ndarray],
    average: Average = "logits",
    used: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """Averages the members' logits, as CP-JKU do, or their probabilities.

    Args:
        members: Logits (clips, classes), keyed by member name.
        average: What to average.
        used: Whether a member's logits of a clip count, bool (clips,), keyed by member name; each
            clip needs one that does. None for all.

    Raises:
        ValueError: There is no member, or their shapes differ.
    """
    if len({logits.shape for logits in members.values()}) != 1:
        shapes = {name: logits.shape for name, logits in members.items()}
        raise ValueError(f"expected members of one shape, received {shapes}")
    stacked = np.stack(list(members.values()))  # (members, clips, classes)
    counted = np.ones((*stacked.shape[:2], 1), bool)
    if used is not None:
        counted = np.stack([used[name] for name in members])[..., None]
    if average == "logits":
        return np.mean(stacked, axis=0, where=counted)
    shares = counted / counted.sum(axis=0)
    return logsumexp(log_softmax(stacked, axis=-1), axis=0, b=shares)


def describe_ensemble(
    members: Mapping[str, np.ndarray],
    labels: np.ndarray,
    used: Mapping[str, np.ndarray] | None = None,
    clusters: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Computes accuracy, log loss, calibration, entropy and agreement of members and ensemble.

    Args:
        members: Logits (clips, classes), keyed by member name.
        labels: Class indices (clips,), or labels (clips, classes).
        used: See `ensemble_logits`; a member is scored on the clips where its logits count.
        clusters: Recording (or location) of each clip, (clips,), for intervals; None for none.

    Returns:
        By name, with `ensemble` last: macro `accuracy` and `calibration_error` in percent, macro
        `logloss` and mean `entropy` in nats, and `agreement` with the ensemble's decisions in
        percent; for several labels a clip the mean average precision `map` and that of random
        scores, `chance`. With clusters also `interval_95` of the accuracy or `map`; None if there
        is a single cluster.
    """
    combined = ensemble_logits(members, used=used)
    decided = combined.argmax(axis=-1)
    rows: dict[str, dict[str, Any]] = {}
    for name, logits in {**members, "ensemble": combined}.items():
        counted = slice(None) if used is None or name not in used else used[name]
        logits, truth = logits[counted], labels[counted]
        groups = None if clusters is None else np.array(clusters)[counted].tolist()
        if labels.ndim == 2:
            mean = mean_average_precision(logits, truth)
            rows[name] = {"map": mean, "chance": chance_precision(truth)}
            if groups is not None:
                found = clustered_intervals(logits, truth, groups)
                rows[name]["interval_95"] = found and found[0]
            continue
        probabilities = softmax(logits.astype(np.float64), axis=-1)
        scored = macro_score(probabilities, truth)
        decisions = probabilities.argmax(axis=-1)
        rows[name] = {
            "accuracy": scored.accuracy,
            "logloss": scored.logloss,
            "calibration_error": calibration_error(probabilities, truth),
            "entropy": float(entr(probabilities).sum(axis=-1).mean()),
            "agreement": float(100 * (decisions == decided[counted]).mean()),
        }
        if groups is not None:
            interval = clustered_interval_or_none(decisions == truth, truth, groups)
            rows[name]["interval_95"] = interval
    return rows
