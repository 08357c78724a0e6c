"""How far a network was pruned, and how well it did, against the optimiser's step."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREY = "#0072b2", "#d55e00", "#8a8a8a"


@dataclass(frozen=True)
class LoggedStage:
    """What a stage of a student has logged.

    Attributes:
        name: of the stage.
        epochs: rows of its `metrics.jsonl`.
        updates: rows of its `pruning.jsonl`; none if it hides no channels.
    """

    name: str
    epochs: Sequence[Mapping[str, Any]]
    updates: Sequence[Mapping[str, Any]]


def read_log(path: Path) -> list[dict[str, Any]]:
    """Rows of a `.jsonl` file; none if there is no such file."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def pruning_figure(stages: Sequence[LoggedStage], steps_per_epoch: int, title: str) -> Figure:
    """Accuracy above, the share of channels that are hidden or removed below.

    Validation accuracy is shown if clips were held out, at each epoch and at each update of the
    masks; otherwise the accuracy on the training clips.

    Args:
        stages: in their order.
        steps_per_epoch: of the optimiser.
        title: above the panels.
    """
    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    accuracy, hidden = figure.subplots(2, sharex=True, height_ratios=(2, 1))
    begin, remaining = 0, 1.0
    for stage in stages:
        steps = [begin + row["epoch"] * steps_per_epoch for row in stage.epochs]
        end = max(steps, default=begin)
        _accuracy_panel(accuracy, stage, steps, begin)
        at = [begin + row["step"] for row in stage.updates]
        ratios = [100 * (1 - remaining * (1 - row["ratio"])) for row in stage.updates]
        before = 100 * (1 - remaining)
        if ratios:
            remaining *= 1 - stage.updates[-1]["ratio"]
        hidden.step(
            [begin, *at, end],
            [before, *ratios, 100 * (1 - remaining)],
            where="post",
            color=_ORANGE,
        )
        if begin:
            for axes in (accuracy, hidden):
                axes.axvline(begin, color=_GREY, linewidth=0.8, linestyle=":")
        accuracy.annotate(
            stage.name,
            ((begin + end) / 2, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=_GREY,
            fontsize="small",
        )
        begin = end
    accuracy.set_ylabel("accuracy, %")
    accuracy.legend(*_unique(accuracy), loc="lower right", frameon=False, fontsize="small")
    hidden.set(xlabel="optimiser step", ylabel="channels hidden\nor removed, %", ylim=(0, 100))
    for axes in (accuracy, hidden):
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0)
    figure.suptitle(title, fontsize="medium")
    return figure


def _accuracy_panel(axes: Any, stage: LoggedStage, steps: Sequence[int], begin: int) -> None:
    validated = [row.get("val_accuracy") for row in stage.epochs]
    if None in validated:
        trained = [100 * row["accuracy"] for row in stage.epochs]
        axes.plot(steps, trained, color=_BLUE, label="training clips, augmented")
        return
    axes.plot(steps, validated, color=_BLUE, label="held-out clips, each epoch")
    if stage.updates:
        axes.plot(
            [begin + row["step"] for row in stage.updates],
            [row["val_accuracy"] for row in stage.updates],
            "o",
            color=_ORANGE,
            markersize=4,
            label="held-out clips, right after masks changed",
        )


def _unique(axes: Any) -> tuple[list, list]:
    """Handles and labels of the legend, each label once."""
    handles, labels = axes.get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    return list(found.values()), list(found)
