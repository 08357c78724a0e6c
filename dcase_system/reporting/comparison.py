"""Compares runs side by side, with paired intervals for their differences."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.class_weight import compute_sample_weight

from dcase_system.core.files import write_json
from dcase_system.reporting.comparison_page import SIZES, comparison_page
from dcase_system.reporting.content import Page
from dcase_system.reporting.derived import SCENES, chance_level, length
from dcase_system.reporting.documents import kind_of, read_document
from dcase_system.reporting.html import REPORT, write_page
from dcase_system.reporting.numbers import Document, Number
from dcase_system.reporting.run_complexity import EDITION
from dcase_system.reporting.run_files import read_run
from dcase_system.reporting.search_figures import PERCENT
from dcase_system.training.metrics import clustered_interval

COMPARISON = "comparison.json"
_COLUMNS = ("filename", "identifier", "scene_label", "predicted")


@dataclass(frozen=True, eq=False)
class _Predictions:
    """A run's predictions for the dev-test clips, sorted by file name."""

    filenames: tuple[str, ...]
    labels: np.ndarray
    correct: np.ndarray
    recordings: tuple[str, ...]


def write_comparison(run_dirs: Sequence[Path], output_dir: Path) -> Page:
    """Writes `comparison.json` and its page.

    Args:
        run_dirs: See `compare`.
        output_dir: Output folder.

    Raises:
        InputError: See `compare`.
    """
    document = compare(run_dirs)
    write_json(output_dir / document.name, document.content)
    page = comparison_page(document)
    write_page(output_dir / REPORT, page)
    return page


def compare(run_dirs: Sequence[Path]) -> Document:
    """Builds the content of `comparison.json`.

    Args:
        run_dirs: Run directories of any kind; differences are to the first one.

    Raises:
        InputError: A folder is not a run directory.
    """
    names = _names(run_dirs)
    rows = [
        row
        for name, folder in zip(names, run_dirs, strict=True)
        for row in _ROWS[kind_of(folder, _ROWS)](name, folder)
    ]
    predictions = [_predictions(folder) for folder in run_dirs]
    first = predictions[0]
    differences = [
        {"run": name, **_difference(first, other)}
        for name, other in zip(names[1:], predictions[1:], strict=True)
    ]
    content = {
        "runs": rows,
        "differences": [row for row in differences if "fault" not in row],
        "not_paired": [row for row in differences if "fault" in row],
    }
    return Document(COMPARISON, content)


def _names(run_dirs: Sequence[Path]) -> list[str]:
    """Returns the runs' paths below their common folder."""
    resolved = [str(folder.resolve()) for folder in run_dirs]
    common = os.path.commonpath(resolved) if len(set(resolved)) > 1 else Path(resolved[0]).parent
    return [os.path.relpath(folder, common) for folder in resolved]


def _student(name: str, folder: Path) -> list[dict[str, Any]]:
    run = read_run(folder)
    overall = ("forms", run.submitted, "overall")
    return [
        {
            "run": name,
            **_scores(run.scores, overall, ("intervals_95", "overall"), _chance(run.config)),
            **_costs(run.complexity),
            **{key: run.sparsity.get(key) for key in SIZES},
        }
    ]


def _teachers(name: str, folder: Path) -> list[dict[str, Any]]:
    ensemble = read_document(folder, "ensemble.json")
    at, chance = ("dev_test", "ensemble"), _chance(read_document(folder, "config.json"))
    return [{"run": name, **_scores(ensemble, at, (*at, "interval_95"), chance)}]


def _chance(config: Document) -> Number | None:
    return chance_level(length(config, *SCENES))


def _scores(
    scores: Document, place: tuple[str, ...], interval: tuple[str, ...], chance: Number | None
) -> dict[str, Any]:
    """Returns a run's accuracy or mAP, its interval and chance level in percent, and its log loss.

    `chance` is that of the accuracy; the scores hold that of a mAP.
    """
    several_labels = scores.get(*place, "map") is not None
    scale = PERCENT if several_labels else 1.0
    found = {
        "low": scores.number(*interval, 0),
        "high": scores.number(*interval, 1),
        "chance": scores.number(*place, "chance") if several_labels else chance,
    }
    return {
        **{key: scores.get(*place, key) for key in ("accuracy", "map", "logloss")},
        **{key: number and number.value * scale for key, number in found.items()},
    }


def _scene_search(name: str, folder: Path) -> list[dict[str, Any]]:
    """Returns a row for each chosen network."""
    results = read_document(folder, "results.json")
    return [
        _scene(f"{name}, {row.get('method')} {row.get('model')}", row, results)
        for row in results.rows("chosen")
    ]


def _scene_networks(name: str, folder: Path) -> list[dict[str, Any]]:
    """Returns a row for each network."""
    results = read_document(folder, "results.json")
    return [_scene(f"{name}, {row.get('name')}", row, results) for row in results.rows("networks")]


def _scene(name: str, row: Mapping[str, Any], results: Document) -> dict[str, Any]:
    scores, chance = Document("", row.get("scores")), chance_level(length(results, "classes"))
    place = ("keras_float16",)
    return {
        "run": name,
        **_scores(scores, place, (*place, "intervals_95", "accuracy"), chance),
        **_costs(Document("", row.get("complexity"))),
    }


def _supernet(name: str, folder: Path) -> list[dict[str, Any]]:
    """Returns a row for each budget."""
    return [
        {
            "run": f"{name}, {row.get('constraint')}",
            "map": row.get("map"),
            "params": row.get("params"),
        }
        for row in read_document(folder, "results.json").rows("chosen")
    ]


# Functions that collect results and costs, by the kind of run.
_ROWS: dict[str, Callable[[str, Path], list[dict[str, Any]]]] = {
    "split": _student,
    "teachers": _teachers,
    "scene_search": _scene_search,
    "scene_networks": _scene_networks,
    "supernet": _supernet,
}


def _costs(complexity: Document) -> dict[str, Any]:
    return {
        "params": complexity.get("params"),
        "macs": complexity.get("macs"),
        "complies": _complies(complexity, EDITION),
        "complies_2021": _complies(complexity, "2021 Task 1A"),
    }


def _complies(complexity: Document, edition: str) -> bool | None:
    rules = complexity.rows("rules", edition)
    return all(rule.get("complies") is True for rule in rules) if rules else None


def _predictions(folder: Path) -> _Predictions | str:
    """Reads a run's predictions, or returns the reason why they cannot be paired."""
    path = folder / "dev_test" / "predictions.csv"
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        return f"no predictions ({' '.join(str(error).split())})"
    if not set(_COLUMNS) <= set(table.columns) or not len(table):
        return "predictions from another version of this package"
    table = table.sort_values("filename")
    return _Predictions(
        filenames=tuple(table.filename),
        labels=np.unique(table.scene_label, return_inverse=True)[1],
        correct=(table.predicted == table.scene_label).to_numpy(),
        recordings=tuple(table.identifier),
    )


def _difference(first: _Predictions | str, other: _Predictions | str) -> dict[str, Any]:
    if isinstance(first, str):
        return {"fault": f"the first run has {first}"}
    if isinstance(other, str):
        return {"fault": f"it has {other}"}
    if first.filenames != other.filenames or (first.labels != other.labels).any():
        return {"fault": "it was scored on other clips"}
    change = other.correct.astype(float) - first.correct
    weights = compute_sample_weight("balanced", first.labels)  # so that all classes count equally
    low, high = clustered_interval(change, first.labels, first.recordings)
    return {
        "difference": float(100 * np.average(change, weights=weights)),
        "low": low,
        "high": high,
        "only_first": int((change < 0).sum()),
        "only_this": int((change > 0).sum()),
    }
