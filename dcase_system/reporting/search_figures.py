"""Figures of searches: what was scored against its size, each point saying what it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.ticker import MaxNLocator

from dcase_system.reporting.content import NOTHING, Document, Mark, Number, Picture
from dcase_system.reporting.style import house_style, legend_below, new_figure, nth_series

PERCENT, MILLIONTH = 100.0, 1e-6  # what shares and counts are multiplied with
_ALONE: dict[str, Any] = {"linestyle": ""}
_HOLLOW: dict[str, Any] = {"markerfacecolor": "white"}
_SHIFT = 0.04  # of a method's points from the growth that they have, so that none hides another's


@dataclass(frozen=True)
class Point:
    """What was scored.

    Attributes:
        x: where it is drawn.
        score: how high it is drawn.
        says: what it is, for who points at it.
        row: the object that it was read from.
    """

    x: float
    score: Number
    says: str
    row: Mapping[str, Any]

    def is_of(self, **values: str) -> bool:
        """Whether the object has these values."""
        return all(str(self.row.get(key)) == value for key, value in values.items())

    @property
    def on_front(self) -> bool:
        return self.row.get("on_front") is True


@dataclass(frozen=True)
class Points:
    """What is drawn alike.

    Attributes:
        label: in the legend.
        points: what was scored, in the order that a line joins them.
        look: how matplotlib's `plot` draws them.
    """

    label: str
    points: Sequence[Point]
    look: Mapping[str, Any]


def accuracy_against_size(results: Document) -> Picture | None:
    """Every candidate of a scene search by its size, the front of each method filled.

    Args:
        results: `results.json` of the search.
    """
    candidates = list(_candidates(results, "float32_kib"))
    groups = []
    for index, method in enumerate(_values(candidates, "method")):
        mine = [point for point in candidates if point.is_of(method=method)]
        others = [point for point in mine if not point.on_front]
        front = [point for point in mine if point.on_front]
        look = nth_series(index) | _ALONE
        groups.append(Points(method, others, look | _HOLLOW))
        groups.append(Points(f"{method}: front", front, look))
    title = "Accuracy against size, each candidate"
    return scored_points("size", title, groups, "float32 parameters, KiB", _selected(results))


def accuracy_by_growth(results: Document) -> Picture | None:
    """Every candidate of a scene search by its growth, and the mean of each.

    Args:
        results: `results.json` of the search.
    """
    candidates = list(_candidates(results, "growth"))
    groups, means = [], []
    for index, method in enumerate(_values(candidates, "method")):
        shift, look = _SHIFT * index, nth_series(index)
        mine = [point for point in candidates if point.is_of(method=method)]
        shifted = [replace(point, x=point.x + shift) for point in mine]
        groups.append(Points(method, shifted, look | _ALONE | _HOLLOW))
        of_growths = []
        for at, row in results.entries("by_growth"):
            growth, mean = (
                results.number("by_growth", at, key) for key in ("growth", "mean_accuracy")
            )
            if growth and mean and str(row.get("method")) == method:
                says = f"{method}, growth {growth.value:g}: mean accuracy {mean} %"
                of_growths.append(Point(growth.value + shift, mean, says, row))
        means.append(Points(f"{method}: mean", of_growths, look))
    title = "Accuracy by growth of the width from block to block"
    return scored_points("growth", title, groups + means, "growth", _selected(results))


@house_style
def scored_points(
    name: str, title: str, groups: Sequence[Points], x_label: str, y_label: str
) -> Picture | None:
    """Scores against something; None if there are no points.

    Args:
        name: of the picture.
        title: of the picture.
        groups: in the order they are drawn in, the last on top.
        x_label: of the axis.
        y_label: of the axis.
    """
    groups = [group for group in groups if group.points]
    if not groups:
        return None
    figure, (axes,) = new_figure(2.8)
    marks = {}
    for index, group in enumerate(groups):
        gid = f"points-{index}"
        axes.plot(
            [point.x for point in group.points],
            [point.score.value * point.score.scale for point in group.points],
            **{"markersize": 5, "linewidth": 1, "label": group.label, "gid": gid, **group.look},
        )
        marks[gid] = [Mark(point.says, point.score) for point in group.points]
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(_short)
    axes.set(xlabel=x_label, ylabel=y_label)
    if len(groups) > 1:
        legend_below(figure, axes)
    return Picture(name, title, figure, marks)


def _short(number: float, _: float) -> str:
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= unit:
            return f"{number / unit:g}{name}"
    return f"{number:g}"


def _candidates(results: Document, x_key: str) -> Iterator[Point]:
    for at, row in results.entries("candidates"):
        place = ("candidates", at)
        x, accuracy = results.number(*place, x_key), results.number(*place, "accuracy")
        if x and accuracy:
            network = f"{row.get('method')}, {row.get('architecture')}"
            says = f"{network}: {_costs(results, *place)}, accuracy {accuracy} %"
            yield Point(x.value, accuracy, says, row)


def _costs(results: Document, *place: str | int) -> str:
    params = results.number(*place, "params", spec=",")
    macs = results.number(*place, "macs", spec=".1f", scale=MILLIONTH)
    return f"{params or NOTHING} parameters, {macs or NOTHING} MMACs"


def _values(points: Sequence[Point], key: str) -> list[str]:
    """The values that the objects have, in their order."""
    return list(dict.fromkeys(str(point.row.get(key)) for point in points))


def _selected(results: Document) -> str:
    return f"{results.get('selected_on')} accuracy, %"
