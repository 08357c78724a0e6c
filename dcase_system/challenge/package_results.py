"""Results of a challenge package, beside the report's Tables 1 and 2: `results.json`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from dcase_system.challenge.description import pruning_schedule, system_adaptations
from dcase_system.challenge.published import CONFIGURATION, mean_accuracy, published_rows
from dcase_system.core.files import write_json
from dcase_system.reporting.documents import read_document
from dcase_system.reporting.package_page import RESULTS, package_table
from dcase_system.reporting.report import write_report
from dcase_system.reporting.tables import as_text

_OF_DEVICES = ("device_specific", "device_difference", "device_low", "device_high")


def result_row(
    system: str,
    seed: int,
    settings: Mapping[str, Any],
    scores: Mapping[str, Any],
    complexity: Mapping[str, Any],
    device_scores: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Summarises one training of a system on one split, for `package_results`.

    Args:
        system: Name of the system.
        seed: Seed of the training.
        settings: The run's `settings` from `config.json`.
        scores: Content of the run's `dev_test/scores.json`.
        complexity: Content of the run's `complexity.json`.
        device_scores: Content of the run's `devices/scores.json`, or None without device-specific
            networks.
    """
    submitted = scores["forms"][scores["submitted_form"]]
    low, high = scores.get("intervals_95", {}).get("overall") or (None, None)
    return {
        "system": system,
        "split": settings["split"],
        "seed": seed,
        "teachers": _members(settings["teachers"]),
        "schedule": pruning_schedule(settings["plan"]),
        "pruned": system_adaptations(settings["plan"]),
        "accuracy": submitted["overall"]["accuracy"],
        "low": low,
        "high": high,
        "classes": len(submitted["class_wise"]),
        "logloss": submitted["overall"]["logloss"],
        "params": complexity["params"],
        "macs": complexity["macs"],
        "bytes": complexity["bytes"][complexity["precision"]],
        **{
            f"accuracy_{group}": score["accuracy"]
            for group, score in submitted["group_wise"].items()
        },
        **(_device_specific(device_scores) if device_scores else {}),
    }


def _device_specific(scores: Mapping[str, Any]) -> dict[str, float | None]:
    """Returns the accuracy with device-specific networks, and its difference to the general one."""
    difference = scores["differences"]["overall"]
    return {
        "device_specific": scores["device_specific"]["overall"]["accuracy"],
        "device_difference": difference["difference"],
        "device_low": difference["low"],
        "device_high": difference["high"],
    }


def _members(teachers: Mapping[str, Any] | None) -> str:
    """Counts teachers by architecture, such as `4 passt_s`; their names start with a number."""
    if not teachers:
        return "none"
    kinds = Counter(name.partition("-")[2] for name in teachers["members"])
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())


def package_results(
    rows: Sequence[Mapping[str, Any]], splits: Sequence[int], *, same_corpus: bool
) -> dict[str, Any]:
    """Builds `results.json`: accuracy by system and split, means, costs, and spread over seeds.

    Args:
        rows: Rows from `result_row`; those with the first row's seed are submitted.
        splits: Requested splits; the challenge ranks by the mean over all of them.
        same_corpus: Whether the published rows were scored on the same clips.
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
                "low": {split: row.get("low") for split, row in mine.items()},
                "high": {split: row.get("high") for split, row in mine.items()},
                "unseen": {split: row.get("accuracy_unseen") for split, row in mine.items()},
                "logloss": {split: row["logloss"] for split, row in mine.items()},
                **{
                    key: values
                    for key in _OF_DEVICES
                    if (values := {split: row[key] for split, row in mine.items() if key in row})
                },
                "mean": mean_accuracy(accuracy, splits),
                **{key: _of_all(key, mine.values()) for key in CONFIGURATION},
                # The largest, where the networks of the splits differ.
                "params": max(row["params"] for row in mine.values()),
                "bytes": max(row["bytes"] for row in mine.values()),
                "macs": max(row["macs"] for row in mine.values()),
            }
        )
    over_seeds = [_over_seeds(name, rows, splits) for name in names] if len(seeds) > 1 else []
    return {
        "splits": list(splits),
        "classes": max((row.get("classes", 0) for row in rows), default=0),
        "systems": systems,
        "published": published_rows(names, splits),
        "same_corpus": same_corpus,
        "seeds": seeds,
        "over_seeds": over_seeds,
    }


def _of_all(key: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """Joins a system's distinct values: with a target, pruning ratios may differ between splits."""
    return " / ".join(dict.fromkeys(row[key] for row in rows))


def _over_seeds(
    name: str, rows: Sequence[Mapping[str, Any]], splits: Sequence[int]
) -> dict[str, Any]:
    """Computes mean and sample standard deviation of a system's macro accuracy on each split."""
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
        "mean": mean_accuracy(means, splits),
    }


def write_results(
    run_dir: Path, rows: Sequence[Mapping[str, Any]], splits: Sequence[int], *, same_corpus: bool
) -> str:
    """Writes `results.json` and `report.html`, with Tables 1 and 2; returns Table 2 as text.

    Args:
        run_dir: Run directory of the package recipe.
        rows: See `package_results`.
        splits: See `package_results`.
        same_corpus: See `package_results`.
    """
    write_json(run_dir / RESULTS, package_results(rows, splits, same_corpus=same_corpus))
    report = write_report(run_dir)
    table = package_table(read_document(run_dir, RESULTS))
    return f"{as_text(table) if table else ''}\n\nreport: {report}"
