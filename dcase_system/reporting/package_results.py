"""What a challenge package has reached: `results.json` and the page of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from dcase_system.corpora import tau
from dcase_system.files import write_json
from dcase_system.reporting.documents import read_document
from dcase_system.reporting.package_page import RESULTS, package_table
from dcase_system.reporting.report import write_report
from dcase_system.reporting.tables import as_text

# CPJKU/dcase2024_task1_baseline, README, on the dev-test clips of TAU 2022 Mobile.
_BASELINE: dict[str, Any] = {
    "system": "2024 baseline, published",
    "published": True,
    "accuracy": {str(split): accuracy for split, accuracy in tau.BASELINE_ACCURACY.items()},
    "bytes": 122_296,
    "macs": 29_419_156,
}


def result_row(
    system: str, split: int, seed: int, scores: Mapping[str, Any], complexity: Mapping[str, Any]
) -> dict[str, Any]:
    """One training of a system on one split, as `package_results` takes it.

    Args:
        system: its name.
        split: percentage of the training list.
        seed: of the training.
        scores: content of a run's `dev_test/scores.json`.
        complexity: content of its `complexity.json`.
    """
    submitted = scores["forms"][scores["submitted_form"]]
    return {
        "system": system,
        "split": split,
        "seed": seed,
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


def package_results(
    rows: Sequence[Mapping[str, Any]], splits: Sequence[int], *, baseline: bool
) -> dict[str, Any]:
    """Content of `results.json`: accuracy by system and split, means, costs; and over seeds.

    Args:
        rows: of `result_row`; those of the first one's seed are handed in.
        splits: that were asked for: the challenge ranks by the mean over all of them.
        baseline: whether the published baseline was scored on the same clips.
    """
    seeds = list(dict.fromkeys(row["seed"] for row in rows))
    names = list(dict.fromkeys(row["system"] for row in rows))
    systems = []
    for name in names:
        mine = {
            str(row["split"]): row
            for row in rows
            if row["system"] == name and row["seed"] == seeds[0]
        }
        accuracy = {split: row["accuracy"] for split, row in mine.items()}
        systems.append(
            {
                "system": name,
                "accuracy": accuracy,
                "unseen": {split: row.get("accuracy_unseen") for split, row in mine.items()},
                "logloss": {split: row["logloss"] for split, row in mine.items()},
                "mean": _mean(accuracy, splits),
                # Of one network on all splits; where they differ, the largest.
                "bytes": max(row["bytes"] for row in mine.values()),
                "macs": max(row["macs"] for row in mine.values()),
            }
        )
    if baseline:
        systems.append({**_BASELINE, "mean": _mean(_BASELINE["accuracy"], splits)})
    over_seeds = [_over_seeds(name, rows, splits) for name in names] if len(seeds) > 1 else []
    return {"splits": list(splits), "systems": systems, "seeds": seeds, "over_seeds": over_seeds}


def _over_seeds(
    name: str, rows: Sequence[Mapping[str, Any]], splits: Sequence[int]
) -> dict[str, Any]:
    """Mean and sample standard deviation of a system's macro accuracy on each split."""
    values = {
        str(split): [r["accuracy"] for r in rows if (r["system"], r["split"]) == (name, split)]
        for split in splits
    }
    means = {split: mean(found) for split, found in values.items() if found}
    deviations = {split: stdev(found) for split, found in values.items() if len(found) > 1}
    return {
        "system": name,
        "accuracy": means,
        "deviation": deviations,
        "mean": _mean(means, splits),
    }


def _mean(accuracy: Mapping[str, float], splits: Sequence[int]) -> float | None:
    found = [accuracy[str(split)] for split in splits if str(split) in accuracy]
    return sum(found) / len(found) if len(found) == len(splits) else None


def write_results(
    run_dir: Path, rows: Sequence[Mapping[str, Any]], splits: Sequence[int], *, baseline: bool
) -> str:
    """Writes `results.json` and `report.html`; returns the table of them as text.

    Args:
        run_dir: of the package recipe.
        rows: see `package_results`.
        splits: see `package_results`.
        baseline: see `package_results`.
    """
    write_json(run_dir / RESULTS, package_results(rows, splits, baseline=baseline))
    report = write_report(run_dir)
    table = package_table(read_document(run_dir, RESULTS))
    return f"{as_text(table) if table else ''}\n\nreport: {report}"
