"""Predictions of DCASE 2025 Task 1: their layout and limits, written and validated.

    predictions/<label>/output.csv          filename (with audio/), scene_label, probabilities
    predictions/<label>/complexity.json     MACs and bytes of the network of each device
    predictions/<label>/test_accuracy.json  macro accuracy on the dev-test clips, percent

Source: the predictions in EOPhoeny/dcase2025_task1_inference, which the organisers' scripts wrote.
There `Params` is a number of bytes, and the limits are those of each device's network.
"""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from dcase_system.core.checked import defects
from dcase_system.core.errors import defect
from dcase_system.core.files import parse_json, replacing_directory, write_json
from dcase_system.corpora import tau
from dcase_system.submission.entries import Report, limited
from dcase_system.submission.fields import LABEL
from dcase_system.submission.validate_meta import MAX_MACS, MAX_MODEL_BYTES, at_most
from dcase_system.submission.validate_output import bare_names, output_defects

OUTPUT, COMPLEXITY, ACCURACY = "output.csv", "complexity.json", "test_accuracy.json"
_JSON_BYTES = 1 << 20
_ROW_BYTES = 1 << 10  # a row has a name and ten numbers
_OVER = "over the complexity limit of one device's network"
_Macs = Annotated[int, Field(strict=True, gt=0), at_most(MAX_MACS, _OVER, "MACs")]
_Bytes = Annotated[int, Field(strict=True, gt=0), at_most(MAX_MODEL_BYTES, _OVER, "bytes")]
_Percent = Annotated[float, Field(strict=True, ge=0, le=100)]


@dataclass(frozen=True)
class _Costs:
    MACs: _Macs
    Params: _Bytes


@dataclass(frozen=True)
class _Complexity:
    per_device: Annotated[dict[str, _Costs], Field(min_length=1)]
    max_MACs: _Macs  # the organisers' names
    max_Params: _Bytes


def write_predictions_2025(
    folder: Path,
    label: str,
    output: Path,
    costs: Mapping[str, Mapping[str, Any]],
    accuracy: float,
    *,
    evaluation_filenames: Collection[str],
    scenes: Sequence[str],
) -> Path:
    """Writes the predictions of one system and validates them.

    Args:
        folder: Folder of all predictions.
        label: Submission label, `Doe_EXU_task1_1`.
        output: Output file for the evaluation clips.
        costs: Complexity report of the network of each device, by the device's name.
        accuracy: Macro accuracy on the dev-test clips, in percent.
        evaluation_filenames: Clips that the output file must have.
        scenes: Names of the class columns, in order.

    Returns:
        The folder of the system's predictions.

    Raises:
        InputError: Validation finds an error, such as a network over the limits.
    """
    per_device = {
        device: {"MACs": one["macs"], "Params": one["bytes"][one["precision"]]}
        for device, one in costs.items()
    }
    largest = {
        f"max_{key}": max(one[key] for one in per_device.values()) for key in ("MACs", "Params")
    }
    folder.mkdir(parents=True, exist_ok=True)
    with replacing_directory(folder / label) as written:
        shutil.copyfile(output, written / OUTPUT)
        write_json(written / COMPLEXITY, {"per_device": per_device, **largest})
        write_json(written / ACCURACY, {"Test Accuracy": round(accuracy, 2)})
    report = validate_predictions_2025(
        folder / label, evaluation_filenames=evaluation_filenames, scenes=scenes
    )
    report.check(folder / label)
    return folder / label


def validate_predictions_2025(
    folder: Path, *, evaluation_filenames: Collection[str], scenes: Sequence[str] = tau.SCENES
) -> Report:
    """Checks the predictions of one system; never raises for defective ones.

    Args:
        folder: Folder of the system, named by its submission label.
        evaluation_filenames: Clips that the output file must have.
        scenes: Names of the class columns, in order.
    """
    found = []
    if not LABEL.fullmatch(folder.resolve().name):
        expected = "<lastname>_<institute>_task1_<1-4>"
        found.append(
            defect(str(folder), "folder is not named by a submission label", expected=expected)
        )
    found += _file_defects(folder / OUTPUT, _ROW_BYTES * (len(evaluation_filenames) + 1))
    if not found:
        with (folder / OUTPUT).open(encoding="utf-8", newline="") as lines:
            clips = bare_names(evaluation_filenames)
            found += limited(output_defects(lines, OUTPUT, scenes, clips), OUTPUT)
    found += limited(_json_defects(folder / COMPLEXITY, _Complexity), COMPLEXITY)
    found += limited(_json_defects(folder / ACCURACY, dict[str, _Percent]), ACCURACY)
    return Report(tuple(found))


def _file_defects(path: Path, limit: int) -> Iterator[str]:
    if not path.is_file():
        yield defect(str(path), "file is missing")
    elif path.stat().st_size > limit:
        yield defect(str(path), "file is too large", expected=f"at most {limit:,} bytes")


def _json_defects(path: Path, kind: Any) -> Iterator[str]:
    unreadable = list(_file_defects(path, _JSON_BYTES))
    if unreadable:
        yield from unreadable
        return
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        yield defect(str(path), f"not JSON ({error})")
        return
    yield from defects(content, kind, path.name)
