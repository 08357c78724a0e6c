"""What a finished search says: accuracy by growth, and whether it goes with size."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr

FEWEST_SIZES = 5  # that a rank correlation is given for

Rows = Sequence[Mapping[str, Any]]


def by_growth(candidates: Rows) -> list[dict[str, Any]]:
    """Candidates, mean and best accuracy of each growth and method.

    Args:
        candidates: the rows of `results.json`.
    """
    accuracies: dict[str, dict[float, list[float]]] = {}
    for one in candidates:
        of_method = accuracies.setdefault(one["method"], {})
        of_method.setdefault(one["growth"], []).append(one["accuracy"])
    return [
        {
            "method": method,
            "growth": growth,
            "candidates": len(found),
            "mean_accuracy": float(np.mean(found)),
            "best_accuracy": max(found),
        }
        for method, of_method in accuracies.items()
        for growth, found in sorted(of_method.items())
    ]


def size_correlations(candidates: Rows) -> list[dict[str, Any]]:
    """Spearman's rank correlation of parameters and accuracy for each method.

    None where it says nothing: fewer than `FEWEST_SIZES` sizes, or one accuracy alone.

    Args:
        candidates: the rows of `results.json`.
    """
    found = []
    for method in dict.fromkeys(one["method"] for one in candidates):
        of_it = [one for one in candidates if one["method"] == method]
        params, accuracies = zip(*((one["params"], one["accuracy"]) for one in of_it), strict=True)
        statistic = p_value = None
        if len(set(params)) >= FEWEST_SIZES and len(set(accuracies)) > 1:
            rank = spearmanr(params, accuracies)
            statistic, p_value = float(rank.statistic), float(rank.pvalue)
        found.append(
            {
                "method": method,
                "candidates": len(of_it),
                "sizes": len(set(params)),
                "rank_correlation": statistic,
                "p_value": p_value,
            }
        )
    return found
