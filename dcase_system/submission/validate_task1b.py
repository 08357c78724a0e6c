"""Validates packages of DCASE 2020 Task 1B.

`<top>/task1/<label>/<label>.output.csv` and `<label>.meta.yaml` for each of up to four systems,
label `<lastname>_<institute>_task1b_<1-4>`.
"""

import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from dcase_system.core.checked import defects, says
from dcase_system.core.errors import InputError, defect
from dcase_system.corpora.task1b import CLASSES, EVALUATION_CLIPS
from dcase_system.submission.archive import open_package, printable, unsafe_defects
from dcase_system.submission.entries import (
    Report,
    limited,
    output_file_defects,
    read_meta,
    with_placeholders,
)
from dcase_system.submission.fields import LABEL_2020, Datasets, block, text
from dcase_system.submission.package import MAX_SYSTEMS, REPORT_SUFFIX, TASK, meta_name
from dcase_system.submission.validate_meta import at_most, meta_file, metrics
from dcase_system.submission.validate_output import bare_names

TOP = "submission"  # the organisers accept any name
MAX_KIB = 500
_FILE = re.compile(r"(?P<stem>[^/]*?)\.(?P<kind>output\.csv|meta\.yaml)")


# Unlike in 2024, null is not allowed here.
_METRICS = metrics(null=False)


@dataclass(frozen=True)
class _Description:
    input_sampling_rate: Annotated[str, text("32kHz")]
    acoustic_features: Annotated[str, text("log-mel energies")]
    machine_learning_method: Annotated[str, text("CNN")]
    embeddings: Any
    data_augmentation: Any
    ensemble_method_subsystem_count: Any
    decision_making: Any
    external_data_usage: Any
    complexity_management: Any


_NOT_POSITIVE = says("not a positive number")
_Count = Annotated[int, Field(strict=True, gt=0), _NOT_POSITIVE]
_Size = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False), _NOT_POSITIVE]


@dataclass(frozen=True)
class _Complexity:
    total_parameters: _Count
    total_parameters_non_zero: _Count
    model_size: Annotated[_Size, at_most(MAX_KIB, "over the size limit", "KB of 1,024 bytes")]


@dataclass(frozen=True)
class _System:
    description: _Description
    complexity: _Complexity
    external_datasets: Datasets
    source_code: Any


def output_name(label: str) -> str:
    return f"{label}.output.csv"


def validate_task1b(
    zip_path: str | Path,
    *,
    evaluation_filenames: Collection[str] | None = None,
    classes: Sequence[str] = CLASSES,
    for_submission: bool = True,
) -> Report:
    """Checks a package; never raises for a defective one.

    Args:
        zip_path: The package.
        evaluation_filenames: Clips that each output file must have, with or without the folder
            `audio/`; by default the official `0.wav` to `8639.wav`.
        classes: Classes, in order.
        for_submission: Whether the package is meant for submission: then placeholders of the author
            card are errors, not warnings.
    """
    if evaluation_filenames is None:
        evaluation_filenames = [f"{index}.wav" for index in range(EVALUATION_CLIPS)]
    clips = bare_names(evaluation_filenames)
    try:
        archive = open_package(zip_path)
    except InputError as error:
        return Report((str(error),))
    with archive:
        systems, errors = _sorted(archive.infolist())
        warnings: list[str] = []
        for label, entries in sorted(systems.items()):
            found = _check_system(archive, label, entries, clips, classes, for_submission)
            errors += found.errors
            warnings += found.warnings
    return Report(tuple(errors), tuple(warnings))


def _sorted(
    entries: Sequence[zipfile.ZipInfo],
) -> tuple[dict[str, dict[str, zipfile.ZipInfo]], list[str]]:
    """Sorts entries by system and name; unsafe, repeated and unexpected ones become errors."""
    systems: dict[str, dict[str, zipfile.ZipInfo]] = {}
    errors: list[str] = []
    for entry in entries:
        unsafe = list(unsafe_defects(entry))
        errors += unsafe
        where, parts = printable(entry.filename), entry.filename.split("/")
        if unsafe or entry.is_dir() or parts[-1].endswith(REPORT_SUFFIX):
            continue
        match = _FILE.fullmatch(parts[-1])
        if len(parts) != 4 or parts[1] != TASK or not match or match["stem"] != parts[2]:
            expected = f"<top>/{TASK}/<label>/<label>.meta.yaml or <label>.output.csv"
            errors.append(defect(where, "unexpected file", expected=expected))
        elif parts[-1] in systems.setdefault(parts[2], {}):
            errors.append(defect(where, "entry is listed twice"))
        else:
            systems[parts[2]][parts[-1]] = entry
    if not 1 <= len(systems) <= MAX_SYSTEMS:
        expected = f"1 to {MAX_SYSTEMS}"
        errors.append(defect(f"<top>/{TASK}/", "wrong number of systems", expected=expected))
    return systems, errors


def _check_system(
    archive: zipfile.ZipFile,
    label: str,
    entries: dict[str, zipfile.ZipInfo],
    clips: AbstractSet[str],
    classes: Sequence[str],
    for_submission: bool,
) -> Report:
    where = f"<top>/{TASK}/{printable(label)}/"
    errors: list[str] = []
    if not LABEL_2020.fullmatch(label):
        expected = "<lastname>_<institute>_task1b_<1-4>"
        errors.append(defect(where, "submission label is malformed", expected=expected))
    output, meta_entry = entries.get(output_name(label)), entries.get(meta_name(label))
    if output is None:
        errors.append(defect(where + printable(output_name(label)), "file is missing"))
    else:
        errors += limited(output_file_defects(archive, output, classes, clips), output)
    if meta_entry is None:
        errors.append(defect(where + printable(meta_name(label)), "file is missing"))
        return Report(tuple(errors))
    meta, fault = read_meta(archive, meta_entry)
    if fault:
        return Report((*errors, fault))
    name = printable(meta_entry.filename)
    errors += limited(meta_defects_2020(meta, name, label, classes), meta_entry)
    return with_placeholders(Report(tuple(errors)), meta, meta_entry, for_submission)


def meta_defects_2020(
    meta: Any, where: str, label: str, classes: Sequence[str] = CLASSES
) -> Iterator[str]:
    """Yields one line for each defect of a meta file's contents."""
    kind = _meta_file(tuple(classes))
    yield from defects(meta, kind, where, context=(label, LABEL_2020))


@cache
def _meta_file(classes: tuple[str, ...]) -> Any:
    parts = {"overall": _METRICS, "class_wise": block(dict.fromkeys(classes, _METRICS))}
    return meta_file(_System, block(parts, "ignore"))
