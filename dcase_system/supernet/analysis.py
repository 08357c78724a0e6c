"""The paper's tables and figures from what a run has trained and found: rows for `results.json`."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import kendalltau

from dcase_system.supernet.space import ratios_name, space_name

METHODS = ("random", "evolution")

# The searches of each space by its pattern, one a constraint: what each method has found, best
# first.
Spaces = Mapping[str, Sequence[Mapping[str, Any]]]
Row = dict[str, Any]


@dataclass(frozen=True)
class Alone:
    """A network of one ratio and one depth that was trained alone.

    Attributes:
        params: of it.
        baseline: mAP on the test clips, trained with labels.
        kd: mAP on the test clips, trained with the teacher.
        constraints: names of those whose sub-networks it is compared with.
    """

    params: int
    baseline: float
    kd: float
    constraints: tuple[str, ...]


def table1(teacher: float, params: int, alone: Sequence[Alone], chosen: Sequence[Row]) -> list[Row]:
    """Table 1: the teacher, then networks trained alone and the sub-networks beside them, by size.

    Args:
        teacher: its mAP on the test clips.
        params: of the teacher.
        alone: networks trained alone.
        chosen: rows of `improved`.
    """

    def row(model: str, own: int, score: float, **others: Any) -> Row:
        shares = {"params_share": own / params, "map_share": score / teacher}
        return {"model": model, "params": own, "map": score, **shares, **others}

    rows = [row("teacher", params, teacher, published=[])]
    for one in sorted(alone, key=lambda one: one.params):
        beside = [found for found in chosen if found["constraint"] in one.constraints]
        # The constraint of the paper that it stands for is that of the row it is compared with.
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
    """The chosen sub-networks, each with its relative improvement over networks trained alone."""
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
    """The best sub-network of each space, search and constraint."""
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
    """Figure 4: scores of the random draws of each space and constraint, and their mean.

    The deviation is that of a sample (n - 1); of one sub-network there is none. What another search
    has scored is not among them: it goes where scores are high.
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
    """Every sub-network that a search has scored, by size; on the front is what no smaller equals.

    The sub-networks of different spaces have different weights, so that none is the other's.
    """
    found = sorted(_found(spaces), key=lambda row: (row["params"], -row["score"]))
    rows, best = [], -1.0
    for one in found:
        on_front = one["score"] > best
        best = max(best, one["score"])
        rows.append({**one, "on_front": on_front})
    return rows


def agreement(rows: Sequence[Row]) -> Row:
    """Whether scores with inherited weights rank sub-networks as those with their own do.

    Args:
        rows: with `score`, of inherited weights, and `alone`.
    """
    tau = kendalltau([row["score"] for row in rows], [row["alone"] for row in rows])
    # Not defined for one sub-network, or for scores that are all equal.
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
