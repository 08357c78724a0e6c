"""The summary that a recipe ends with, at most 80 columns wide."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from dcase_system.corpora import tau

_COLUMNS = 80


def run_summary(scores: Mapping[str, Any], complexity: Mapping[str, Any]) -> str:
    """Accuracy by device group, every form's accuracy, and cost against the limits of 2024.

    Args:
        scores: content of a run's `dev_test/scores.json`.
        complexity: content of its `complexity.json`.
    """
    submitted = scores["forms"][scores["submitted_form"]]
    interval = scores["intervals_95"]["overall"]  # none, if all clips are of one recording
    ends = " (95 % interval {:.1f}-{:.1f})".format(*interval) if interval else ""
    overall = submitted["overall"]
    lines = [
        f"dev-test macro accuracy {overall['accuracy']:.1f} %{ends}, "
        f"log loss {overall['logloss']:.3f}",
        *_accuracies("by device group", submitted["group_wise"]),
        *_accuracies("by device", submitted["device_wise"]),
        "",
        f"{'form':<26}{'accuracy %':>12}{'log loss':>10}{'agrees with Keras float32 %':>29}",
    ]
    for name, form in scores["forms"].items():
        marked = f"{name} *" if name == scores["submitted_form"] else name
        overall = form["overall"]
        lines.append(
            f"{marked:<26}{overall['accuracy']:>12.2f}{overall['logloss']:>10.3f}"
            f"{form['agreement']:>29.1f}"
        )
    lines += ["", f"{'limit (2024)':<46}{'value':>12}{'allowed':>12}"]
    for rule in complexity["rules"]["2024 Task 1"]:
        verdict = "complies" if rule["complies"] else "OVER"
        lines.append(f"{rule['rule']:<46}{rule['value']:>12,}{rule['limit']:>12,}  {verdict}")
    return "\n".join(lines)


def _accuracies(what: str, scores: Mapping[str, Mapping[str, float]]) -> list[str]:
    text = ", ".join(f"{name} {score['accuracy']:.1f}" for name, score in scores.items())
    return textwrap.wrap(f"{what}: {text}", _COLUMNS, subsequent_indent="    ")


def package_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Macro accuracy of every system on every split, its mean, and the system's cost.

    Args:
        rows: of `result_row`, in the order of the systems.
    """
    splits = sorted({row["split"] for row in rows})
    columns = "".join(f"{name:>7}" for name in (*(f"{split} %" for split in splits), "mean"))
    lines = [f"{'dev-test macro accuracy %':<26}{columns}{'bytes':>9}{'MMACs':>7}"]
    for system in dict.fromkeys(row["system"] for row in rows):
        mine = {row["split"]: row for row in rows if row["system"] == system}
        found = [mine[split]["accuracy"] for split in splits if split in mine]
        cells = [f"{mine[split]['accuracy']:.1f}" if split in mine else "-" for split in splits]
        cells.append(f"{sum(found) / len(found):.1f}" if len(found) == len(splits) else "-")
        cost = next(iter(mine.values()))
        lines.append(
            f"{system:<26}{''.join(f'{cell:>7}' for cell in cells)}"
            f"{cost['bytes']:>9,}{cost['macs'] / 1e6:>7.2f}"
        )
    return "\n".join(lines)


def result_row(
    system: str, split: int, scores: Mapping[str, Any], complexity: Mapping[str, Any]
) -> dict[str, Any]:
    """One system on one split, as `package_table` and a table of all results take it.

    Args:
        system: its name.
        split: percentage of the training list.
        scores: content of a run's `dev_test/scores.json`.
        complexity: content of its `complexity.json`.
    """
    submitted = scores["forms"][scores["submitted_form"]]
    return {
        "system": system,
        "split": split,
        "accuracy": submitted["overall"]["accuracy"],
        "logloss": submitted["overall"]["logloss"],
        "params": complexity["params"],
        "macs": complexity["macs"],
        "bytes": complexity["bytes"][complexity["precision"]],
        **{
            f"accuracy_{group}": score["accuracy"]
            for group, score in submitted["group_wise"].items()
        },
    }


def sparsity_table(
    runs: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]],
) -> str:
    """Accuracy, zeros and sizes of several networks, and what the rules of 2021 and 2024 count.

    Args:
        runs: name to (content of `dev_test/scores.json`, `complexity.json`, `sparsity.json`).
    """
    lines = [
        f"{'':<16}{'accuracy':>9}{'zeros':>8}{'params':>9}{'not zero':>9}{'zipped':>9}{'MMACs':>8}"
        f"{'limit of':>12}",
        f"{'':<16}{'%':>9}{'%':>8}{'bytes':>9}{'bytes':>9}{'bytes':>9}{'':>8}{'2021 2024':>12}",
    ]
    for name, (scores, complexity, zeros) in runs.items():
        submitted = scores["forms"][scores["submitted_form"]]
        kept = [
            "kept" if all(x["complies"] for x in complexity["rules"][edition]) else "OVER"
            for edition in ("2021 Task 1A", "2024 Task 1")
        ]
        lines.append(
            f"{name:<16}{submitted['overall']['accuracy']:>9.2f}{100 * zeros['sparsity']:>8.1f}"
            f"{zeros['float16_bytes']:>9,}{zeros['nonzero_float16_bytes']:>9,}"
            f"{zeros['zipped_float16_bytes']:>9,}{complexity['macs'] / 1e6:>8.2f}"
            f"{kept[0]:>7}{kept[1]:>5}"
        )
    return "\n".join(lines)


def published_baseline_rows() -> list[dict[str, Any]]:
    """The 2024 baseline on the dev-test clips of TAU 2022 Mobile, for `package_table`."""
    cost = {"bytes": 122_296, "macs": 29_419_156}
    return [
        {"system": "2024 baseline, published", "split": split, "accuracy": accuracy, **cost}
        for split, accuracy in tau.BASELINE_ACCURACY.items()
    ]


def ensemble_table(description: Mapping[str, Any]) -> str:
    """Each teacher and their ensemble, on each list of clips.

    Args:
        description: `describe_ensemble` by the list's name.
    """
    lines = []
    for clips, rows in description.items():
        lines += [
            "",
            f"{clips:<24}{'accuracy %':>12}{'log loss':>10}{'entropy':>10}{'agrees %':>10}",
        ]
        lines += [
            f"{name:<24}{row['accuracy']:>12.1f}{row['logloss']:>10.3f}{row['entropy']:>10.3f}"
            f"{row['agreement']:>10.1f}"
            for name, row in rows.items()
        ]
    return "\n".join(lines[1:])
