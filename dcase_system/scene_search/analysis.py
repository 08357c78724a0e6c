"""Analysis of a finished search: accuracy by growth, its distribution, its correlation with size.

Accuracies are the share of all clips, in percent, as in the paper.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr

FEWEST_SIZES = 5  # for a rank correlation
MOST_BINS = 20  # in a histogram
_BIN_WIDTHS = (0.25, 0.5, 1.0, 2.0, 2.5, 5.0, 10.0)  # in points of accuracy

Rows = Sequence[Mapping[str, Any]]


def by_growth(candidates: Rows) -> list[dict[str, Any]]:
    """Computes count, mean and best accuracy and mean size by growth and method (section 4.4).

    Args:
        candidates: Rows of `results.json`.
    """
    return [
        {
            "method": method,
            "growth": growth,
            "candidates": len(found),
            "mean_accuracy": _mean(found, "clip_accuracy"),
            "best_accuracy": max(one["clip_accuracy"] for one in found),
            "mean_kib": _mean(found, "float32_kib"),
        }
        for method, of_method in _by(candidates, "method").items()
        for growth, found in sorted(_by(of_method, "growth").items())
    ]


def mean_sizes(candidates: Rows) -> list[dict[str, Any]]:
    """Computes the mean of the growths' mean sizes, and their largest distance from it.

    Args:
        candidates: Rows of `results.json`.
    """
    found = []
    for method, rows in _by(by_growth(candidates), "method").items():
        sizes = np.array([row["mean_kib"] for row in rows])
        mean = sizes.mean()
        distance = float(np.abs(sizes - mean).max())
        found.append({"method": method, "mean_kib": float(mean), "largest_distance_kib": distance})
    return found


def histograms(candidates: Rows) -> list[dict[str, Any]]:
    """Computes normalised histograms of accuracy for each growth and method (Figure 4).

    All growths of a method share the same bins.

    Args:
        candidates: Rows of `results.json`.

    Returns:
        One row per histogram, with the `edges` of its bins and the `shares` of candidates in them;
        the last bin includes its upper edge.
    """
    rows = []
    for method, of_method in _by(candidates, "method").items():
        edges = _edges([one["clip_accuracy"] for one in of_method])
        for growth, found in sorted(_by(of_method, "growth").items()):
            counts, _ = np.histogram([one["clip_accuracy"] for one in found], edges)
            rows.append(
                {
                    "method": method,
                    "growth": growth,
                    "candidates": len(found),
                    "edges": edges.tolist(),
                    "shares": (counts / len(found)).tolist(),
                }
            )
    return rows


def size_correlations(candidates: Rows) -> list[dict[str, Any]]:
    """Computes Spearman's rank correlation of parameters and accuracy for each method.

    It is None with fewer than `FEWEST_SIZES` different sizes, or with a single accuracy.

    Args:
        candidates: Rows of `results.json`.
    """
    found = []
    for method, of_it in _by(candidates, "method").items():
        params, accuracies = zip(
            *((one["params"], one["clip_accuracy"]) for one in of_it), strict=True
        )
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


def _by(rows: Rows, key: str) -> dict[Any, list[Mapping[str, Any]]]:
    """Groups rows by the value of a key, in order."""
    found: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


def _mean(rows: Rows, key: str) -> float:
    return float(np.mean([row[key] for row in rows]))


def _edges(accuracies: Sequence[float]) -> np.ndarray:
    """Returns the edges of the narrowest bins, at most `MOST_BINS`, that cover all accuracies."""
    for width in _BIN_WIDTHS:
        first = math.floor(min(accuracies) / width)
        # The last bin includes its upper edge; at least one bin is needed.
        last = max(math.ceil(max(accuracies) / width), first + 1)
        if last - first <= MOST_BINS:
            break
    return width * np.arange(first, last + 1)
