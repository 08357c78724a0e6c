"""Validates packages of BioDCASE-Tiny 2026 (Task 3).

`<lastname>_task3_<1-4>/` for each of up to four systems, with its meta file,
`config_submission.yaml` and `your_submission_model/{label_dict.yaml, NAME.keras, NAME.tflite}`;
other files replace or extend the contest's code. `<lastname>_task3.technical_report.pdf` is beside
these folders.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import AfterValidator, Field

from dcase_system.core.checked import defects, fault, says
from dcase_system.core.errors import InputError, defect, shown
from dcase_system.submission.archive import open_package, printable, unsafe_defects
from dcase_system.submission.entries import (
    Report,
    limited,
    read_meta,
    report_defects,
    with_placeholders,
)
from dcase_system.submission.fields import (
    LABEL_PART,
    Abbreviation,
    Address,
    Authors,
    Datasets,
    Text,
    block,
)
from dcase_system.submission.package import MAX_SYSTEMS, REPORT_SUFFIX, meta_name
from dcase_system.submission.validate_models import model_defects

TASK = "task3"
CONFIG, MODELS, LABELS = "config_submission.yaml", "your_submission_model", "label_dict.yaml"
NOT_MEASURED = "N/A"
CLASSES = (
    *("Background", "Common Chaffinch", "Common Chiffchaff", "Eurasian Blackbird"),
    *("Eurasian Blackcap", "Eurasian Blue Tit", "Great Spotted Woodpecker", "Great Tit"),
    *("Mallard", "Song Thrush", "Tawny Owl"),
)
FRONT_END: Mapping[str, Any] = {
    "target_sample_rate": 24_000,
    "window_len": 4_096,
    "window_stride": 512,
    "window_scaling_bits": 12,
    "mel_n_channels": 40,
    "mel_low_hz": 125,
    "mel_high_hz": 7_500,
    "mel_post_scaling_bits": 6,
    "transpose_features_extracted": True,
    "normalize_features": True,
    "to_float": True,
    "add_channel_dimension": True,
    "add_batch_dimension": True,
    "channel_dimension_at_end": True,
}
"""Settings of the contest's front end, for a network of Keras."""
INFERENCE: Mapping[str, Any] = {
    "target_sample_rate": FRONT_END["target_sample_rate"],
    "target_wav_length_sec": 3,
    "model_dir": f"./{MODELS}",
    "saved_model_extension": ".keras",
    "tflite_model_extension": ".tflite",
    "label_dict_yaml_path": f"./{MODELS}/{LABELS}",
}
"""Settings of the configuration's `inference_handler` that the evaluation needs."""
_FRONT_END_FILE = "feature_handler.py"
_SCORES = ("accuracy_inference", "accuracy_tflite", "roc_auc_inference", "roc_auc_tflite")
_COUNTS = (
    *("model_size_inference_bytes", "model_size_tflite_bytes", "macs_inference", "macs_tflite"),
    *("num_params_inference", "num_params_tflite"),
)
_ON_BOARD = (
    *("embedded_time_ms_setup", "embedded_time_ms_preprocessing", "embedded_time_ms_model"),
    *("embedded_time_ms_total", "embedded_ram_usage_bytes"),
)
RESULTS = (*_SCORES, *_COUNTS, *_ON_BOARD)
"""Results in a meta file, in order."""

_FOLDER = re.compile(rf"(?P<lastname>{LABEL_PART.pattern})_{TASK}_(?P<index>[1-4])")
_REPORT = re.compile(rf"{LABEL_PART.pattern}_{TASK}{re.escape(REPORT_SUFFIX)}")
# The evaluation never takes these from a package.
_NEVER_TAKEN = ("submission_test.py", "evaluate_submissions.py")


def _of_directory(label: str, info: pydantic.ValidationInfo) -> str:
    """Compares the label with the context, the name of its directory, which lacks the institute."""
    directory = info.context
    found = _FOLDER.fullmatch(str(directory))
    parts = found and re.escape(found["lastname"]), found and found["index"]
    if not found or not re.fullmatch(rf"{parts[0]}_{LABEL_PART.pattern}_{TASK}_{parts[1]}", label):
        raise fault(
            "differs from the directory",
            f"<lastname>_<institute>_{TASK}_<1-4>, with the name and the number of {directory}",
        )
    return label


@dataclass(frozen=True)
class _Submission:
    label: Annotated[Text, AfterValidator(_of_directory)]
    name: Text
    abbreviation: Abbreviation
    authors: Authors
    coding_agents_ai_used: Annotated[
        Literal["yes", "no"] | bool | None, says("not an answer", "yes, no or null")
    ]


@dataclass(frozen=True)
class _Description:
    machine_learning_framework: Annotated[
        Literal["tensorflow", "pytorch"], says("unknown framework", "tensorflow or pytorch")
    ]
    acoustic_features: Text
    data_augmentation: Text | None
    embeddings: Text | None
    model_architecture: Text
    training_objective: Text
    model_compression: Text | None
    external_data_usage: Text | None


@dataclass(frozen=True)
class _System:
    description: _Description
    source_code: Address
    external_datasets: Datasets


def _result(kind: Any, expected: str) -> Any:
    missing = Literal["N/A"]
    return Annotated[kind | missing, says("not a result", f"{expected}, or {NOT_MEASURED}")]


_SHARE = Annotated[float, Field(strict=True, ge=0, le=1)]
_COUNT = Annotated[int, Field(strict=True, gt=0)]
_COST = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
_RESULTS = block(
    {
        **dict.fromkeys(_SCORES, _result(_SHARE, "a share from 0 to 1")),
        **dict.fromkeys(_COUNTS, _result(_COUNT, "a positive whole number")),
        **dict.fromkeys(_ON_BOARD, _result(_COST, "a positive number")),
    }
)
_META = block({"submission": _Submission, "system": _System, "results": _RESULTS}, "ignore")


def validate_biodcase(
    zip_path: str | Path, *, require_report: bool = False, for_submission: bool = True
) -> Report:
    """Checks a package; never raises for a defective one.

    Args:
        zip_path: The package.
        require_report: Whether a missing technical report is an error, not a warning.
        for_submission: Whether the package is meant for submission: then placeholders of the author
            card, and classes other than the contest's, are errors, not warnings.
    """
    try:
        archive = open_package(zip_path)
    except InputError as error:
        return Report((str(error),))
    with archive:
        systems, reports, errors = _sorted(archive.infolist())
        warnings: list[str] = []
        if not reports:
            missing = defect("package", f"technical report is missing (*{REPORT_SUFFIX})")
            (errors if require_report else warnings).append(missing)
        for entry in reports:
            errors += report_defects(archive, entry)
        for directory, entries in sorted(systems.items()):
            found = _check_system(archive, directory, entries, for_submission)
            errors += found.errors
            warnings += found.warnings
    return Report(tuple(errors), tuple(warnings))


def _sorted(
    entries: Sequence[zipfile.ZipInfo],
) -> tuple[dict[str, dict[str, zipfile.ZipInfo]], list[zipfile.ZipInfo], list[str]]:
    """Sorts entries by system and path in it; returns systems, technical reports and errors."""
    systems: dict[str, dict[str, zipfile.ZipInfo]] = {}
    reports, errors, seen = [], [], set()
    for entry in entries:
        unsafe = list(unsafe_defects(entry))
        where, key = printable(entry.filename), entry.filename.casefold()
        first, _, rest = entry.filename.partition("/")
        if unsafe:
            errors += unsafe
        elif key in seen:
            errors.append(defect(where, "entry is listed twice"))
        elif _REPORT.fullmatch(entry.filename):
            reports.append(entry)
        elif not _FOLDER.fullmatch(first) or not (rest or entry.is_dir()):
            expected = f"<lastname>_{TASK}_<1-4>/... or <lastname>_{TASK}{REPORT_SUFFIX}"
            errors.append(defect(where, "unexpected file", expected=expected))
        elif rest.rpartition("/")[2] in _NEVER_TAKEN:
            errors.append(defect(where, "the evaluation does not take this file from a package"))
        else:
            system = systems.setdefault(first, {})
            if not entry.is_dir():
                system[rest] = entry
        seen.add(key)
    if not 1 <= len(systems) <= MAX_SYSTEMS:
        errors.append(
            defect(
                "package",
                "wrong number of systems",
                expected=f"1 to {MAX_SYSTEMS} folders <lastname>_{TASK}_<1-4>/",
                received=len(systems),
            )
        )
    return systems, reports, errors


def _check_system(
    archive: zipfile.ZipFile,
    directory: str,
    entries: Mapping[str, zipfile.ZipInfo],
    for_submission: bool,
) -> Report:
    where = printable(directory)
    errors = list(model_defects(archive, _below(entries, MODELS), f"{where}/{MODELS}"))
    warnings: list[str] = []
    values: dict[str, Any] = {}
    labels, own_meta = f"{MODELS}/{LABELS}", meta_name(directory)
    for name in (CONFIG, labels, own_meta):
        if name not in entries:
            errors.append(defect(f"{where}/{name}", "file is missing"))
            continue
        value, unreadable = read_meta(archive, entries[name])
        if unreadable:
            errors.append(unreadable)
        else:
            values[name] = value
    if CONFIG in values:
        found = _config_defects(values[CONFIG], f"{where}/{CONFIG}", _FRONT_END_FILE in entries)
        errors += limited(found, entries[CONFIG])
    if labels in values:
        wrong = list(_label_defects(values[labels], f"{where}/{labels}"))
        errors += wrong
        if not wrong and list(values[labels]["label_dict"]) != list(CLASSES):
            other = "classes are not the contest's"
            expected = ", ".join(CLASSES)
            lines = errors if for_submission else warnings
            lines.append(defect(f"{where}/{labels}", other, expected=expected))
    report = Report(tuple(errors), tuple(warnings))
    if own_meta not in values:
        return report
    at = f"{where}/{own_meta}"
    of_meta = tuple(limited(defects(values[own_meta], _META, at, directory), entries[own_meta]))
    unanswered = () if of_meta else tuple(_meta_warnings(values[own_meta], at))
    report = Report((*errors, *of_meta), (*warnings, *unanswered))
    return with_placeholders(report, values[own_meta], entries[own_meta], for_submission)


def _below(entries: Mapping[str, zipfile.ZipInfo], folder: str) -> dict[str, zipfile.ZipInfo]:
    """Entries in a folder, by their names in it."""
    return {
        name.removeprefix(f"{folder}/"): entry
        for name, entry in entries.items()
        if name.startswith(f"{folder}/")
    }


def _meta_warnings(meta: Mapping[str, Any], where: str) -> Iterator[str]:
    if meta["submission"]["coding_agents_ai_used"] is None:
        yield defect(f"{where} field submission.coding_agents_ai_used", "is null")


def _label_defects(value: Any, where: str) -> Iterator[str]:
    labels = value.get("label_dict") if isinstance(value, dict) else None
    if not isinstance(labels, dict) or not all(isinstance(name, str) for name in labels):
        yield defect(where, "no class names", expected="label_dict, with a number for each class")
    elif [*labels.values()] != [*range(len(labels))]:
        yield defect(
            f"{where} field label_dict",
            "classes are not numbered in order",
            expected="0, 1, 2, ...",
            received=shown([*labels.values()]),
        )


def _config_defects(value: Any, where: str, own_front_end: bool) -> Iterator[str]:
    """Checks what the evaluation reads; a front end of one's own may have other settings."""
    wanted = {**INFERENCE, "model.module": "keras", "model.attr": "Model"}
    if not own_front_end:
        wanted |= {"feature_handler.module": "feature_handler"}
        wanted |= {f"feature_handler.kwargs.{name}": item for name, item in FRONT_END.items()}
    for field, expected in wanted.items():
        found: Any = value.get("inference_handler") if isinstance(value, dict) else None
        for name in field.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if found != expected or isinstance(found, bool) != isinstance(expected, bool):
            yield defect(
                f"{where} field inference_handler.{field}",
                "differs from what the evaluation needs",
                expected=expected,
                received=shown(found),
            )
