"""The summary that a recipe ends with, at most 80 columns wide."""

import textwrap
from collections.abc import Mapping
from typing import Any

_COLUMNS = 80


def run_summary(scores: Mapping[str, Any], complexity: Mapping[str, Any]) -> str:
    """Accuracy by device group, every form's accuracy, and cost against the limits of 2024.

    Args:
        scores: content of a run's `dev_test/scores.json`.
        complexity: content of its `complexity.json`.
    """
    submitted = scores["forms"][scores["submitted_form"]]
    low, high = scores["interval_95"]
    overall = submitted["overall"]
    lines = [
        f"dev-test macro accuracy {overall['accuracy']:.1f} % "
        f"(95 % interval {low:.1f}-{high:.1f}), log loss {overall['logloss']:.3f}",
        *_accuracies("by device group", submitted["group_wise"]),
        *_accuracies("by device", submitted["device_wise"]),
        "",
        f"{'form':<18}{'accuracy %':>12}{'log loss':>10}{'agrees with submitted %':>26}",
    ]
    for name, form in scores["forms"].items():
        marked = f"{name} *" if name == scores["submitted_form"] else name
        overall = form["overall"]
        lines.append(
            f"{marked:<18}{overall['accuracy']:>12.2f}{overall['logloss']:>10.3f}{form['agreement']:>26.1f}"
        )
    lines += ["", f"{'limit (2024)':<46}{'value':>12}{'allowed':>12}"]
    for rule in complexity["rules"]["2024 Task 1"]:
        verdict = "complies" if rule["complies"] else "OVER"
        lines.append(f"{rule['rule']:<46}{rule['value']:>12,}{rule['limit']:>12,}  {verdict}")
    return "\n".join(lines)


def _accuracies(what: str, scores: Mapping[str, Mapping[str, float]]) -> list[str]:
    text = ", ".join(f"{name} {score['accuracy']:.1f}" for name, score in scores.items())
    return textwrap.wrap(f"{what}: {text}", _COLUMNS, subsequent_indent="    ")


def package_table(results: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> str:
    """Macro accuracy of every system (rows) on every split (columns).

    Args:
        results: content of `dev_test/scores.json` by system and split.
    """
    splits = sorted({split for runs in results.values() for split in runs})
    lines = [
        f"{'dev-test macro accuracy %':<28}" + "".join(f"{f'{split} %':>10}" for split in splits)
    ]
    for system, runs in results.items():
        cells = []
        for split in splits:
            scores = runs.get(split)
            cells.append(
                f"{scores['forms'][scores['submitted_form']]['overall']['accuracy']:>10.1f}"
                if scores
                else f"{'-':>10}"
            )
        lines.append(f"{system:<28}" + "".join(cells))
    return "\n".join(lines)


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
