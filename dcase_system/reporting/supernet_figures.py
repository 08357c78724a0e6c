"""Figures of a supernet's run: the paper's 3 and 4, all scores, and the ranking."""

from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from dcase_system.reporting.content import Mark, Picture
from dcase_system.reporting.numbers import NOTHING, Document, is_number
from dcase_system.reporting.search_figures import (
    MILLIONTH,
    PERCENT,
    Point,
    Points,
    scored_points,
)
from dcase_system.reporting.style import (
    DARK,
    house_style,
    legend_below,
    new_figure,
    nth_series,
)

_ALONE: dict[str, Any] = {"linestyle": ""}
_HOLLOW: dict[str, Any] = {"markerfacecolor": "white"}
_TEST, _VALIDATION = "mAP, test clips, %", "mAP, validation clips, %"
_TRAINED_ALONE = {"baseline": "Baseline", "kd": "KD"}
# Hatches distinguish the boxes without colour.
_HATCHES = ("", "////", "....", "xxxx", "++++", "\\\\\\\\")
_MEAN = "#d55e00"  # orange, as in the paper
_OF_SPACES = (0, 2, 4, 3)  # series that are not orange
_OF_ALONE = (1, 5)
_BOXES = 0.8  # of the distance between two constraints


def figure3(results: Document) -> Picture | None:
    """Plots Figure 3: the best of each space and search, and networks trained alone, by size.

    Args:
        results: `results.json` of a supernet.
    """
    found, groups = list(_found(results)), []
    for index, space in enumerate(_spaces(results)):
        for search in _values(found, "search"):
            look = {"linestyle": "-"} if search == "random" else {"linestyle": "--"} | _HOLLOW
            points = [point for point in found if point.is_of(space=space, search=search)]
            points.sort(key=lambda point: point.x)
            label = f"OFA {space}" if search == "random" else f"OFA {space}, {search}"
            groups.append(Points(label, points, _look(index) | look))
    for index, (model, label) in zip(_OF_ALONE, _TRAINED_ALONE.items(), strict=True):
        look = nth_series(index) | {"linestyle": ":"}
        groups.append(Points(label, list(_trained_alone(results, model)), look))
    title = "Figure 3: the best of each search space, and networks trained alone"
    return scored_points("figure3", title, groups, "parameters", _TEST)


@house_style
def figure4(results: Document) -> Picture | None:
    """Plots Figure 4: boxplots of the random draws, by constraint and space, with means.

    Args:
        results: `results.json` of a supernet.
    """
    rows = [
        (at, row, scores)
        for at, row in results.entries("figure4", numbers=("mean",))
        if (scores := _numbers(row.get("scores")))
    ]
    if not rows:
        return None
    constraints = list(dict.fromkeys(str(row.get("constraint")) for _, row, _ in rows))
    spaces = _spaces(results)
    figure, (axes,) = new_figure(3.0)
    width, marks, drawn = _BOXES / len(spaces), {}, set[int]()
    for at, row, scores in rows:
        which = spaces.index(str(row.get("space")))
        centre = constraints.index(str(row.get("constraint")))
        position = centre + (which - (len(spaces) - 1) / 2) * width
        gid = f"box-{at}"
        box = _box(axes, scores, position, 0.8 * width, which)
        box.set(gid=gid, label="_" if which in drawn else str(row.get("space")))
        drawn.add(which)
        mean = results.number("figure4", at, "mean", scale=PERCENT)
        deviation = results.number("figure4", at, "deviation", scale=PERCENT)
        spread = f"mean {mean} %, deviation {deviation or NOTHING}, of {len(scores)}"
        marks[gid] = [Mark(f"{row.get('space')}, {row.get('constraint')}: {spread}", mean)]
    for between in range(1, len(constraints)):
        axes.axvline(between - 0.5, color="#cccccc", linewidth=0.6)
    axes.set_xticks(range(len(constraints)), constraints)
    axes.set(xlabel="parameters", ylabel=_VALIDATION, xlim=(-0.5, len(constraints) - 0.5))
    axes.plot([], [], color=_MEAN, label="mean")
    legend_below(figure, axes)
    title = "Figure 4: random draws of each search space, a box for each number of parameters"
    return Picture("figure4", title, figure, marks)


def every_sub_network(results: Document) -> Picture | None:
    """Plots every scored sub-network by size, with one style per space and search.

    Args:
        results: `results.json` of a supernet.
    """
    scored = list(_scored(results))
    groups = []
    for index, space in enumerate(_spaces(results)):
        for search in _values(scored, "search"):
            points = [point for point in scored if point.is_of(space=space, search=search)]
            look = _look(index) | _ALONE | {"markersize": 4}
            groups.append(
                Points(f"{space}, {search}", points, look | ({} if search == "random" else _HOLLOW))
            )
    front = [point for point in scored if point.on_front]
    ring = {"color": DARK, "marker": "o", "markersize": 8, "markerfacecolor": "none"}
    groups.append(Points("better than all smaller ones", front, ring))
    title = "Every sub-network scored in a search"
    return scored_points("scored_by_size", title, groups, "parameters", _VALIDATION)


def own_against_inherited(results: Document) -> Picture | None:
    """Plots sub-networks that were also trained alone: their scores with either weights.

    Args:
        results: `results.json` of a supernet.
    """
    points = []
    for at, row in results.entries("ranking", "rows"):
        place = ("ranking", "rows", at)
        inherited, own = (results.number(*place, key, scale=PERCENT) for key in ("score", "alone"))
        if inherited and own:
            scores = f"mAP {inherited} % with inherited weights, {own} % with its own"
            says = f"{row.get('spec')}: {_costs(results, *place)}, {scores}"
            points.append(Point(inherited.value * inherited.scale, own, says, row))
    title = "Sub-networks with the supernet's weights and with their own"
    groups = [Points("sub-networks", points, nth_series(0) | _ALONE)]
    return scored_points("ranking", title, groups, "inherited: mAP, %", "trained alone: mAP, %")


def _box(axes: Axes, scores: Sequence[float], position: float, width: float, which: int) -> Patch:
    """Draws one box; its line is the mean, as in the paper, the short one the median."""
    thin = {"color": DARK, "linewidth": 0.8}
    colour = _look(which)["color"]
    drawn = axes.boxplot(
        [[PERCENT * score for score in scores]],
        positions=[position],
        widths=width,
        patch_artist=True,
        showmeans=True,
        meanline=True,
        manage_ticks=False,
        boxprops={
            "facecolor": f"{colour}55",
            "edgecolor": colour,
            "hatch": _HATCHES[which % len(_HATCHES)],
        },
        meanprops={"color": _MEAN, "linestyle": "-", "linewidth": 1.6},
        medianprops=thin | {"linestyle": ":"},
        whiskerprops=thin,
        capprops=thin,
        flierprops={"marker": "o", "markersize": 2.5, "markeredgecolor": DARK},
    )
    return drawn["boxes"][0]


def _found(results: Document) -> Iterator[Point]:
    """Yields the best of each space, search and constraint."""
    for at, row in results.entries("figure3"):
        params = results.number("figure3", at, "params")
        score = results.number("figure3", at, "map", scale=PERCENT)
        if params and score:
            network = f"{row.get('space')}, {row.get('search')}, {row.get('constraint')}: "
            network += f"{row.get('spec')}, {_costs(results, 'figure3', at)}, mAP {score} %"
            yield Point(params.value, score, network, row)


def _trained_alone(results: Document, model: str) -> Iterator[Point]:
    for at, row in results.entries("table1"):
        params = results.number("table1", at, "params", spec=",")
        score = results.number("table1", at, "map", scale=PERCENT)
        if params and score and row.get("model") == model:
            says = f"{_TRAINED_ALONE[model]}: {params} parameters, mAP {score} %"
            yield Point(params.value, score, says, row)


def _scored(results: Document) -> Iterator[Point]:
    for at, row in results.entries("all_scored"):
        params = results.number("all_scored", at, "params")
        score = results.number("all_scored", at, "score", scale=PERCENT)
        if params and score:
            network = f"{row.get('space')}, {row.get('search')}, {row.get('spec')}"
            says = f"{network}: {_costs(results, 'all_scored', at)}, mAP {score} %"
            yield Point(params.value, score, says, row)


def _costs(results: Document, *place: str | int) -> str:
    params = results.number(*place, "params", spec=",")
    macs = results.number(*place, "macs", spec=".1f", scale=MILLIONTH)
    return f"{params or NOTHING} parameters, {macs or NOTHING} MMACs"


def _spaces(results: Document) -> list[str]:
    """Returns the search spaces in order, which sets their colours in all figures."""
    return list(dict.fromkeys(str(row.get("space")) for row in results.rows("figure4")))


def _look(which: int) -> dict[str, Any]:
    """Returns the style of a space."""
    return nth_series(_OF_SPACES[which % len(_OF_SPACES)])


def _numbers(values: Any) -> list[float]:
    return [one for one in values if is_number(one)] if isinstance(values, list) else []


def _values(points: Sequence[Point], key: str) -> list[str]:
    """Returns the distinct values of the objects, in order."""
    return list(dict.fromkeys(str(point.row.get(key)) for point in points))
