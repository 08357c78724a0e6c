"""Figures of results: accuracies with intervals, confusion matrix, cost of layers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dcase_system.reporting.content import Mark, Picture
from dcase_system.reporting.derived import counted
from dcase_system.reporting.numbers import Cell, Document, Number
from dcase_system.reporting.style import DARK, GREY, LIGHT, house_style, name_above, new_figure


@house_style
def intervals(
    name: str, title: str, rows: Sequence[Sequence[Cell]], chance: Number | None = None
) -> Picture | None:
    """Plots accuracies in percent with their intervals, one per line; None if there are none.

    Args:
        name: Name of the picture.
        title: Title of the picture.
        rows: Name, accuracy, lower and upper end; rows without an accuracy are left out.
        chance: Accuracy of a network that guesses, drawn as a line; None if it is not known.
    """
    found = [row for row in rows if isinstance(row[1], Number)]
    if not found:
        return None
    figure, (axes,) = new_figure(0.9 + 0.22 * len(found))
    marks = {}
    if chance:
        axes.axvline(chance.value, color=GREY, linewidth=1, linestyle=":", gid=f"{name}-chance")
        name_above(axes, chance.value, "chance")
        marks[f"{name}-chance"] = [Mark(f"chance level: {chance} %", chance)]
    for at, (label, accuracy, low, high) in enumerate(found):
        assert isinstance(accuracy, Number)
        says = f"{label}: {accuracy} %"
        if isinstance(low, Number) and isinstance(high, Number):
            axes.plot([low.value, high.value], [at, at], color=GREY, linewidth=2)
            says += f" (95 % interval {low} to {high})"
        (point,) = axes.plot([accuracy.value], [at], "o", color=DARK, markersize=5)
        point.set_gid(f"{name}-{at}")
        marks[f"{name}-{at}"] = [Mark(says, accuracy)]
    axes.set_yticks(range(len(found)), [str(row[0]) for row in found])
    axes.set(xlim=(-2, 102), xlabel="accuracy, %", ylim=(len(found) - 0.5, -0.5))
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    return Picture(name, title, figure, marks)


@house_style
def confusion(document: Document, scenes: Sequence[str], *keys: str) -> Picture | None:
    """Plots the clips of each true scene (row) by predicted scene (column); None if missing.

    Args:
        document: Document with the counts.
        scenes: Scene names in order.
        *keys: Location of the (scenes, scenes) counts.
    """
    size = len(scenes)
    counts = [
        [document.number(*keys, true, taken, spec=".0f") for taken in range(size)]
        for true in range(size)
    ]
    if not size or any(count is None for line in counts for count in line):
        return None
    values = np.array([[count.value for count in line if count] for line in counts])
    shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1)
    side = 1.4 + 0.31 * size
    figure, (axes,) = new_figure(min(side, 5.5))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    marks = {}
    for true, line in enumerate(counts):
        for taken, count in enumerate(line):
            if count is None or not count.value:
                continue
            text = axes.text(
                taken,
                true,
                str(count),
                ha="center",
                va="center",
                fontsize=7.5,
                color="white" if shares[true, taken] > 0.715 else "black",
            )
            text.set_gid(f"cell-{true}-{taken}")
            says = f"{counted(count, 'clip')} of {scenes[true]} classified as {scenes[taken]}"
            marks[f"cell-{true}-{taken}"] = [Mark(says, count)]
    axes.set_xticks(range(size), scenes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(size), scenes)
    axes.set(xlabel="predicted scene", ylabel="true scene")
    return Picture("confusion", "Confusion matrix, dev-test clips", figure, marks)


@house_style
def layer_costs(layers: Sequence[Mapping[str, Any]]) -> Picture | None:
    """Plots MACs and parameters of each layer, from input to output; None if there are none."""
    rows = [row for row in layers if row["macs"] or row["params"]]
    if not rows:
        return None
    figure, (macs, params) = new_figure(3.0, 2, sharex=True)
    at = range(1, len(rows) + 1)
    macs.bar(at, [row["macs"] / 1e6 for row in rows], color=DARK)
    params.bar(
        at, [row["params"] / 1e3 for row in rows], color=LIGHT, edgecolor=DARK, linewidth=0.5
    )
    macs.set_ylabel("MMACs")
    params.set(ylabel="1,000 parameters", xlabel="layer, from input to output")
    return Picture("layers", "Cost of each layer", figure)
