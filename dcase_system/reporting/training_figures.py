"""Figures of trainings: learning curves and the pruning trajectory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dcase_system.reporting.content import Mark, Picture
from dcase_system.reporting.numbers import Document
from dcase_system.reporting.style import (
    DARK,
    GREY,
    SERIES,
    house_style,
    legend_below,
    name_above,
    new_figure,
    nth_series,
)

_MOST_TOLD_APART = 12  # lines in a figure that are still distinguishable
_MOST_MARKERS = 20  # per line


@dataclass(frozen=True)
class LoggedStage:
    """Logs of a stage of a student.

    Attributes:
        name: Name of the stage.
        epochs: Its `metrics.jsonl`.
        updates: Its `pruning.jsonl`; empty if it masks no channels.
    """

    name: str
    epochs: Document
    updates: Document


@house_style
def curve(
    stages: Sequence[LoggedStage], column: str, title: str, label: str, scale: float = 1.0
) -> Picture | None:
    """Plots a logged value over the epochs of all stages; None if there are no values.

    Args:
        stages: Stages in order.
        column: Name of the value in the log, and of the picture.
        title: Title of the picture.
        label: Label of the y axis, with the unit.
        scale: Factor from a logged value to this unit.
    """
    begins = _begins(stages)
    rows = [
        [
            (begin + row["epoch"], scale * row[column])
            for row in stage.epochs.rows(numbers=("epoch", column))
        ]
        for stage, begin in zip(stages, begins, strict=False)
    ]
    if not any(rows):
        return None
    figure, (axes,) = new_figure(2.6)
    for points in filter(None, rows):
        marker = "o" if len(points) < 30 else ""
        axes.plot(*zip(*points, strict=True), color=DARK, marker=marker, markersize=3)
    _stage_names(axes, stages, begins)
    axes.set(xlabel="epoch", ylabel=label)
    axes.set_xlim(0, 1.01 * begins[-1])  # stage names are centred on their stages
    return Picture(column, title, figure)


@house_style
def overlaid(logs: Mapping[str, Document], name: str, title: str) -> Picture | None:
    """Plots the losses of several trainings in one figure; None if there are none.

    With more than a dozen, only tooltips identify the lines.

    Args:
        logs: Log of each training, by name.
        name: Name of the picture.
        title: Title of the picture.
    """
    figure, (axes,) = new_figure(2.6)
    marks: dict[str, list[Mark]] = {}
    for index, (label, log) in enumerate(logs.items()):
        rows = [
            (row["epoch"], row["loss"], log.number(at, "loss", spec=".3f"))
            for at, row in log.entries(numbers=("epoch", "loss"))
        ]
        if not rows:
            continue
        epochs, losses, _ = zip(*rows, strict=True)
        gid = f"training-{index}"
        if len(logs) > _MOST_TOLD_APART and len(rows) > 1:
            axes.plot(epochs, losses, color=GREY, linewidth=0.8, gid=gid)
            marks[gid] = [Mark(label)]
            continue
        every = -(-len(rows) // _MOST_MARKERS)
        look = nth_series(index) | {"markersize": 4, "markevery": every, "linewidth": 1}
        axes.plot(epochs, losses, label=label, gid=gid, **look)
        marks[gid] = [
            Mark(f"{label}, epoch {epoch:g}: {loss}", loss) for epoch, _, loss in rows[::every]
        ]
    if not marks:
        return None
    axes.set(xlabel="epoch", ylabel="loss")
    low, high = axes.get_xlim()
    if high - low < 1:  # a single epoch
        axes.set_xlim(low - 1, high + 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if 1 < len(logs) <= _MOST_TOLD_APART:
        legend_below(figure, axes)
    return Picture(name, title, figure, marks)


@house_style
def pruning_trajectory(stages: Sequence[LoggedStage], steps_per_epoch: int) -> Picture | None:
    """Plots the share of masked or removed channels over the epochs; None without pruning.

    Args:
        stages: Stages in order.
        steps_per_epoch: Optimizer steps per epoch.
    """
    if not any(stage.updates.rows(numbers=("step", "ratio")) for stage in stages):
        return None
    validated = any(stage.updates.rows(numbers=("step", "val_accuracy")) for stage in stages)
    figure, panels = new_figure(3.6 if validated else 2.2, 1 + validated, sharex=True)
    begins, remaining = _begins(stages), 1.0
    marks: dict[str, list[Mark]] = {}
    at, hidden = [0.0], [0.0]
    for stage, (begin, end) in zip(stages, pairwise(begins), strict=True):
        rows = stage.updates.entries(numbers=("step", "ratio"))
        at += [begin + row["step"] / steps_per_epoch for _, row in rows]
        hidden += [100 * (1 - remaining * (1 - row["ratio"])) for _, row in rows]
        if rows:
            gid = f"updates-{stage.name}"
            ((points),) = panels[-1].plot(
                at[-len(rows) :], hidden[-len(rows) :], "o", color=DARK, markersize=4
            )
            points.set_gid(gid)
            marks[gid] = [
                Mark(
                    f"{stage.name}, step {row['step']:g}: ratio {row['ratio']:.3f}",
                    stage.updates.number(index, "ratio", spec=".3f"),
                )
                for index, row in rows
            ]
            remaining *= 1 - rows[-1][1]["ratio"]
        at.append(end)
        hidden.append(100 * (1 - remaining))
        if validated:
            _validation(panels[0], stage, begin, steps_per_epoch)
    panels[-1].step(at, hidden, where="post", color=DARK)
    panels[-1].set(xlabel="epoch", ylabel="channels masked\nor removed, %", ylim=(-3, 103))
    for axes in panels:
        _stage_names(axes, stages, begins, named=axes is panels[0])
        axes.set_xlim(0, 1.01 * begins[-1])
    if validated:
        panels[0].set_ylabel("held-out accuracy, %")
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize="small")
    title = "Channels masked, then removed"
    return Picture("pruning", title, figure, marks)


def _validation(axes: Axes, stage: LoggedStage, begin: float, steps_per_epoch: int) -> None:
    rows = stage.epochs.rows(numbers=("epoch", "val_accuracy"))
    first = not axes.lines
    axes.plot(
        [begin + row["epoch"] for row in rows],
        [row["val_accuracy"] for row in rows],
        color=DARK,
        label="each epoch" if first else None,
    )
    rows = stage.updates.rows(numbers=("step", "val_accuracy"))
    if rows:
        axes.plot(
            [begin + row["step"] / steps_per_epoch for row in rows],
            [row["val_accuracy"] for row in rows],
            SERIES[1]["marker"],
            color=SERIES[1]["color"],
            markersize=4,
            label="right after a mask update",
        )


def _begins(stages: Sequence[LoggedStage]) -> list[int]:
    """Returns the number of epochs before each stage, and the total."""
    counts = [
        max((row["epoch"] for row in stage.epochs.rows(numbers=("epoch",))), default=0)
        for stage in stages
    ]
    return [0, *accumulate(counts)]


def _stage_names(
    axes: Axes, stages: Sequence[LoggedStage], begins: Sequence[int], named: bool = True
) -> None:
    for stage, (begin, end) in zip(stages, pairwise(begins), strict=True):
        if begin:
            axes.axvline(begin, color=GREY, linewidth=0.8, linestyle=":")
        if named and end > begin:
            name_above(axes, (begin + end) / 2, stage.name)
