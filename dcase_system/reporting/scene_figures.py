"""Figure 4 of the scene search: distribution of accuracy for each growth of the width."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dcase_system.reporting.content import Mark, Picture
from dcase_system.reporting.numbers import Document, Number
from dcase_system.reporting.style import DARK, LIGHT, house_style, new_figure

_PANEL_INCHES = 0.85


def accuracy_histograms(results: Document) -> list[Picture]:
    """Plots for each method a normalized histogram per growth, with the mean as a line.

    Args:
        results: `results.json` of a scene search.
    """
    rows: dict[str, list[int]] = {}
    for at, row in results.entries("histograms"):
        if _is_histogram(row):
            rows.setdefault(str(row.get("method")), []).append(at)
    return [_picture(results, method, found) for method, found in rows.items()]


@house_style
def _picture(results: Document, method: str, rows: Sequence[int]) -> Picture:
    figure, panels = new_figure(
        0.6 + _PANEL_INCHES * len(rows), len(rows), sharex=True, sharey=True
    )
    marks: dict[str, list[Mark]] = {}
    for axes, at in zip(panels, rows, strict=True):
        marks |= _histogram(axes, results, at)
        marks |= _mean(axes, results, method, at)
        axes.yaxis.set_major_locator(MaxNLocator(3))
    panels[-1].set_xlabel(f"{results.get('selected_on')} clips: accuracy, %")
    figure.supylabel("share of the growth's candidates", fontsize="medium")
    title = f"Figure 4: accuracy of the candidates by growth of the width, {method}"
    return Picture(f"figure4-{method}", title, figure, marks)


def _histogram(axes: Axes, results: Document, at: int) -> dict[str, list[Mark]]:
    """Draws the non-empty bars; returns their tooltips."""
    row, place = results.get("histograms", at), ("histograms", at)
    marks = {}
    for index, (low, high) in enumerate(pairwise(row["edges"])):
        share = results.number(*place, "shares", index, scale=100.0)
        if not share or not share.value:
            continue
        gid = f"bar-{at}-{index}"
        (bar,) = axes.bar(
            low, share.value, high - low, align="edge", color=LIGHT, edgecolor=DARK, linewidth=0.6
        )
        bar.set_gid(gid)
        says = f"growth {row.get('growth')}: {share} % of {row.get('candidates')} candidates"
        marks[gid] = [Mark(f"{says} from {low:g} to {high:g} %", share)]
    return marks


def _mean(axes: Axes, results: Document, method: str, at: int) -> dict[str, list[Mark]]:
    """Draws the mean of a growth; returns the tooltip of its line."""
    growth, count = (results.get("histograms", at, key) for key in ("growth", "candidates"))
    mean = _mean_of(results, method, growth)
    name = f"growth {growth}, {count} candidates"
    axes.set_title(name if mean is None else f"{name}, mean {mean} %", loc="left", fontsize="small")
    if mean is None:
        return {}
    line = axes.axvline(mean.value, color=DARK, linestyle="--", linewidth=1.2)
    line.set_gid(f"mean-{at}")
    return {f"mean-{at}": [Mark(f"{name}: mean accuracy {mean} %", mean)]}


def _mean_of(results: Document, method: str, growth: Any) -> Number | None:
    for at, row in results.entries("by_growth"):
        if str(row.get("method")) == method and row.get("growth") == growth:
            return results.number("by_growth", at, "mean_accuracy")
    return None


def _is_histogram(row: Mapping[str, Any]) -> bool:
    edges, shares = row.get("edges"), row.get("shares")
    if not isinstance(edges, list) or not isinstance(shares, list):
        return False
    numbers = all(isinstance(one, int | float) for one in edges)
    return numbers and len(edges) == len(shares) + 1 > 1
