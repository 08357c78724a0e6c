"""Figures of searches: scores against sizes, with a tooltip on each point."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import MaxNLocator

from dcase_system.reporting.content import Mark, Picture
from dcase_system.reporting.numbers import NOTHING, Document, Number
from dcase_system.reporting.style import (
    SERIES,
    house_style,
    legend_below,
    new_figure,
    nth_series,
)

PERCENT, MILLIONTH = 100.0, 1e-6  # factors for shares and counts
_ALONE: dict[str, Any] = {"linestyle": ""}
_HOLLOW: dict[str, Any] = {"markerfacecolor": "white"}
# Around the points of chosen candidates.
_RINGS: tuple[dict[str, Any], ...] = tuple(
    _ALONE | {"marker": marker, "markersize": 11, "fillstyle": "none", "color": SERIES[1]["color"]}
    for marker in "oDs"
)


@dataclass(frozen=True)
class Point:
    """A scored network as a point.

    Attributes:
        x: Horizontal position.
        score: Vertical position.
        says: Tooltip.
        row: Object that it was read from.
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
    """A group of points with the same style.

    Attributes:
        label: Label in the legend.
        points: Points in the order that a line joins them.
        look: Arguments of matplotlib's `plot`.
    """

    label: str
    points: Sequence[Point]
    look: Mapping[str, Any]


def accuracy_against_size(results: Document) -> Picture | None:
    """Plots every candidate of a scene search by size; points on a method's front are filled.

    Args:
        results: `results.json` of the search.
    """
    candidates = list(_candidates(results, "candidates"))
    chosen = list(_candidates(results, "chosen"))
    groups = []
    for index, method in enumerate(_values(candidates, "method")):
        mine = [point for point in candidates if point.is_of(method=method)]
        others = [point for point in mine if not point.on_front]
        front = [point for point in mine if point.on_front]
        look = nth_series(index) | _ALONE
        groups.append(Points(method, others, look | _HOLLOW))
        groups.append(Points(f"{method}: front", front, look))
        for model, ring in zip(_values(chosen, "model"), _RINGS, strict=False):
            ringed = [point for point in chosen if point.is_of(method=method, model=model)]
            groups.append(Points(f"{method}: model {model}", ringed, ring))
    title = "Figure 3: accuracy against size, each candidate"
    accuracy = f"{results.get('selected_on')} clips: accuracy, %"
    return scored_points("figure3", title, groups, "float32 parameters, KiB", accuracy)


@house_style
def scored_points(
    name: str, title: str, groups: Sequence[Points], x_label: str, y_label: str
) -> Picture | None:
    """Plots groups of points; None if there are no points.

    Args:
        name: Name of the picture.
        title: Title of the picture.
        groups: Groups in drawing order, the last on top.
        x_label: Label of the x axis.
        y_label: Label of the y axis.
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


def _candidates(results: Document, key: str) -> Iterator[Point]:
    for at, row in results.entries(key):
        size, accuracy = (results.number(key, at, it) for it in ("float32_kib", "clip_accuracy"))
        if size and accuracy:
            network = f"{row.get('method')}, {row.get('architecture')}"
            says = f"{network}: {_costs(results, key, at)}, accuracy {accuracy} %"
            yield Point(size.value, accuracy, says, row)


def _costs(results: Document, *place: str | int) -> str:
    params = results.number(*place, "params", spec=",")
    macs = results.number(*place, "macs", spec=".1f", scale=MILLIONTH)
    return f"{params or NOTHING} parameters, {macs or NOTHING} MMACs"


def _values(points: Sequence[Point], key: str) -> list[str]:
    """Returns the distinct values of the objects, in order."""
    return list(dict.fromkeys(str(point.row.get(key)) for point in points))
