"""Figures of trainings: curves, and how far a network was pruned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from matplotlib.axes import Axes

from dcase_system.reporting.content import Document, Mark, Picture, is_number
from dcase_system.reporting.style import DARK, GREY, SERIES, house_style, new_figure


@dataclass(frozen=True)
class LoggedStage:
    """What a stage of a student has logged.

    Attributes:
        name: of the stage.
        epochs: its `metrics.jsonl`.
        updates: its `pruning.jsonl`; empty if it hides no channels.
    """

    name: str
    epochs: Document
    updates: Document


@house_style
def curves(
    stages: Sequence[LoggedStage], name: str, title: str, columns: Mapping[str, str]
) -> Picture | None:
    """What the epochs have logged, one stage after the other; None if nothing is there.

    Args:
        stages: in their order.
        name: of the picture.
        title: of the picture.
        columns: what is drawn, by its name in the log; all in the first one's unit.
    """
    figure, (axes,) = new_figure(2.6)
    begins = _begins(stages)
    drawn: set[str] = set()
    for style, (column, label) in zip(SERIES, columns.items(), strict=False):
        for stage, begin in zip(stages, begins, strict=False):
            rows = [row for row in stage.epochs.rows() if is_number(row.get(column))]
            if not rows:
                continue
            at = [begin + row["epoch"] for row in rows]
            values = [row[column] for row in rows]
            axes.plot(
                at,
                values,
                color=style["color"],
                linestyle=style["linestyle"],
                marker=style["marker"] if len(at) < 30 else "",
                markersize=3,
                label=None if label in drawn else label,
            )
            drawn.add(label)
    if not drawn:
        return None
    _stage_names(axes, stages, begins)
    axes.set_xlabel("epoch")
    axes.set_ylabel(next(iter(columns.values())) if len(columns) == 1 else "")
    axes.set_xlim(0, 1.01 * begins[-1])  # names of stages stand in the middle of theirs
    if len(columns) > 1:
        axes.legend(frameon=False, fontsize="small")
    return Picture(name, title, figure)


@house_style
def pruning_trajectory(stages: Sequence[LoggedStage], steps_per_epoch: int) -> Picture | None:
    """Channels hidden or removed, in percent, against the epoch; None if none ever were.

    Args:
        stages: in their order.
        steps_per_epoch: of the optimiser.
    """
    if not any(stage.updates.rows() for stage in stages):
        return None
    validated = any(is_number(row.get("val_accuracy")) for s in stages for row in s.updates.rows())
    figure, panels = new_figure(3.6 if validated else 2.2, 1 + validated, sharex=True)
    begins, remaining = _begins(stages), 1.0
    marks: dict[str, list[Mark]] = {}
    at, hidden = [0.0], [0.0]
    for stage, (begin, end) in zip(stages, pairwise(begins), strict=True):
        rows = [
            (index, row)
            for index, row in enumerate(stage.updates.rows())
            if is_number(row.get("step")) and is_number(row.get("ratio"))
        ]
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
    panels[-1].set(xlabel="epoch", ylabel="channels hidden\nor removed, %", ylim=(-3, 103))
    for axes in panels:
        _stage_names(axes, stages, begins, named=axes is panels[0])
        axes.set_xlim(0, 1.01 * begins[-1])
    if validated:
        panels[0].set_ylabel("held-out accuracy, %")
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize="small")
    title = "Channels hidden by the masks, then removed"
    return Picture("pruning", title, figure, marks)


def _validation(axes: Axes, stage: LoggedStage, begin: float, steps_per_epoch: int) -> None:
    rows = [row for row in stage.epochs.rows() if is_number(row.get("val_accuracy"))]
    first = not axes.lines
    axes.plot(
        [begin + row["epoch"] for row in rows],
        [row["val_accuracy"] for row in rows],
        color=DARK,
        label="each epoch" if first else None,
    )
    rows = [row for row in stage.updates.rows() if is_number(row.get("val_accuracy"))]
    if rows:
        axes.plot(
            [begin + row["step"] / steps_per_epoch for row in rows],
            [row["val_accuracy"] for row in rows],
            SERIES[1]["marker"],
            color=SERIES[1]["color"],
            markersize=4,
            label="right after the masks changed",
        )


def _begins(stages: Sequence[LoggedStage]) -> list[int]:
    """Epochs before each stage, and of all of them."""
    counts = [
        max((row["epoch"] for row in stage.epochs.rows() if is_number(row.get("epoch"))), default=0)
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
            axes.annotate(
                stage.name,
                ((begin + end) / 2, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                color=GREY,
                fontsize="x-small",
            )
