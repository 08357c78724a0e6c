"""Builds the paper's tables and figures from a run's results: rows for `results.json`."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import kendalltau

from dcase_system.supernet.search_space import ratios_name, space_name

METHODS = ("random", "nsga2")

# By the pattern of a space: one search per constraint, with each method's candidates, best first.
Spaces = Mapping[str, Sequence[Mapping[str, Any]]]
Row = dict[str, Any]


@dataclass(frozen=True)
class Alone:
    """A reference network of one ratio and one depth, trained alone.

    Attributes:
        params: Number of parameters.
        baseline: mAP on the test clips, trained with labels.
        kd: mAP on the test clips, trained with the teacher.
        constraints: Names of the constraints whose sub-networks it is compared with.
    """

    params: int
    baseline: float
    kd: float
    constraints: tuple[str, ...]


def table1(teacher: float, params: int, alone: Sequence[Alone], chosen: Sequence[Row]) -> list[Row]:
    """Builds Table 1: the teacher, then reference networks and their sub-networks, by size.

    Args:
        teacher: The teacher's mAP on the test clips.
        params: The teacher's number of parameters.
        alone: Reference networks.
        chosen: Rows from `improved`.
    """

    def row(model: str, own: int, score: float, **others: Any) -> Row:
        shares = {"params_share": own / params, "map_share": score / teacher}
        return {"model": model, "params": own, "map": score, **shares, **others}

    rows = [row("teacher", params, teacher, published=[])]
    for one in sorted(alone, key=lambda one: one.params):
        beside = [found for found in chosen if found["constraint"] in one.constraints]
        # A reference network has the published constraints of its sub-networks.
        published = [found["published"] for found in beside]
        rows.append(row("baseline", one.params, one.baseline, published=published))
        rows.append(row("kd", one.params, one.kd, published=published))
        rows += [
            row(
                "ofa",
                *(found["params"], found["map"]),
                published=[found["published"]],
                constraint=found["constraint"],
            )
            for found in beside
        ]
    return rows


def improved(chosen: Sequence[Row], alone: Sequence[Alone]) -> list[Row]:
    """Adds to each selected sub-network its relative improvement over the reference network."""
    beside = {name: one for one in alone for name in one.constraints}
    return [
        {
            **found,
            "over_baseline": _relative(found["map"], beside[found["constraint"]].baseline),
            "over_kd": _relative(found["map"], beside[found["constraint"]].kd),
        }
        for found in chosen
    ]


def _relative(score: float, other: float) -> float | None:
    return score / other - 1 if other else None


def best_of_spaces(spaces: Spaces) -> list[Row]:
    """Returns the best sub-network of each space, search and constraint."""
    return [
        {
            **_where(pattern, searched),
            **{key: searched[key] for key in ("low", "high")},
            "search": method,
            "ratios": searched[method][0]["ratios"],
            **_described(searched[method][0]),
        }
        for pattern, of_space in spaces.items()
        for searched in of_space
        for method in METHODS
        if method in searched
    ]


def figure4(spaces: Spaces) -> list[Row]:
    """Builds Figure 4: scores of the random candidates by space and constraint, and their mean.

    The deviation is that of a sample (n - 1), or None for one sub-network. Candidates of NSGA-II
    are excluded, because it seeks high scores.
    """
    rows = []
    for pattern, of_space in spaces.items():
        for searched in of_space:
            scores = [one["score"] for one in searched["random"]]
            rows.append(
                {
                    **_where(pattern, searched),
                    "scores": scores,
                    "mean": statistics.fmean(scores),
                    "deviation": statistics.stdev(scores) if len(scores) > 1 else None,
                    "n": len(scores),
                }
            )
    return rows


def all_scored(spaces: Spaces) -> list[Row]:
    """Lists every scored sub-network by size; one on the front scores above all smaller ones.

    Sub-networks of different spaces have different weights and are not merged.
    """
    found = sorted(_found(spaces), key=lambda row: (row["params"], -row["score"]))
    rows, best = [], -1.0
    for one in found:
        on_front = one["score"] > best
        best = max(best, one["score"])
        rows.append({**one, "on_front": on_front})
    return rows


def agreement(rows: Sequence[Row]) -> Row:
    """Computes how well scores with inherited weights rank separately trained sub-networks.

    Args:
        rows: Rows with `score` (inherited weights) and `alone` (weights trained separately).
    """
    tau = kendalltau([row["score"] for row in rows], [row["alone"] for row in rows])
    # Undefined for one sub-network, or if all scores are equal.
    known = not math.isnan(tau.statistic)
    found = (float(tau.statistic), float(tau.pvalue)) if known else (None, None)
    return {"kendall_tau": found[0], "p_value": found[1], "rows": [*rows]}


def _found(spaces: Spaces) -> Iterator[Row]:
    for pattern, of_space in spaces.items():
        for method in METHODS:
            scored = {
                str(one["ratios"]): one for searched in of_space for one in searched.get(method, ())
            }
            for one in scored.values():
                yield {"space": space_name(pattern), "search": method, **_described(one)}


def _where(pattern: str, searched: Mapping[str, Any]) -> Row:
    keys = ("constraint", "published")
    return {"space": space_name(pattern), **{key: searched[key] for key in keys}}


def _described(one: Mapping[str, Any]) -> Row:
    costs = {name: one[name] for name in ("params", "macs", "score")}
    return {"spec": ratios_name(one["ratios"]), **costs}
