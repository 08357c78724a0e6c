"""What the searches of a run have found together: the best of each, and the front of all."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dcase_system.supernet.space import ratios_name

METHODS = ("random", "evolution")

# The searches of each space, one a budget: what each method has found, best first.
Spaces = Mapping[str, Sequence[Mapping[str, Any]]]


def best_of_spaces(spaces: Spaces) -> list[dict[str, Any]]:
    """The best sub-network of each space, search and budget: the points of Figure 3."""
    return [
        {
            "space": pattern,
            "search": method,
            "budget": searched["budget"],
            **_described(searched[method][0]),
        }
        for pattern, of_space in spaces.items()
        for searched in of_space
        for method in METHODS
        if method in searched
    ]


def all_scored(spaces: Spaces) -> list[dict[str, Any]]:
    """Every sub-network of the first space that was scored, by size: the points of Figure 4.

    On the front is what no smaller one equals.
    """
    pattern = next(iter(spaces))
    scored = {str(one["ratios"]): one for one in _found(spaces[pattern])}
    rows, best = [], -1.0
    for one in sorted(scored.values(), key=lambda one: (one["params"], -one["score"])):
        on_front = one["score"] > best
        best = max(best, one["score"])
        rows.append({"space": pattern, **_described(one), "on_front": on_front})
    return rows


def _found(of_space: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for searched in of_space:
        for method in METHODS:
            yield from searched.get(method, ())


def _described(one: Mapping[str, Any]) -> dict[str, Any]:
    costs = {name: one[name] for name in ("params", "macs", "score")}
    return {"spec": ratios_name(one["ratios"]), **costs}
