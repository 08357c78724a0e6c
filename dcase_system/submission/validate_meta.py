"""Validation of meta files: required fields, their contents, limits and plausibility."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from dcase_system.corpora import tau
from dcase_system.submission.fields import (
    LABEL,
    abbreviation_defects,
    author_defects,
    dataset_defects,
    defect,
    is_number,
    is_text,
    is_whole,
    mapping_defects,
    shown,
    text_defects,
)
from dcase_system.submission.meta import METRICS

# The same as in dcase_system.complexity.rules, which would load TensorFlow here.
MAX_MODEL_BYTES = 128_000
MAX_MACS = 30_000_000

_SUBMISSION = ("label", "name", "abbreviation", "authors")
_SYSTEM = ("description", "complexity", "external_datasets", "source_code")
_COMPLEXITY = ("total_model_size", "total_parameters", "macs")
_SPLITS = tuple(f"split_{split}" for split in tau.SPLITS)
_RESULTS = ("overall", "class_wise", "device_wise")
# Every system has these; the others may be null where they do not apply, as the template says.
_DESCRIBED = ("input_sampling_rate", "acoustic_features", "machine_learning_method", "framework")
_EXPECTED = ("data_augmentation", "complexity_management", "pipeline")
_OPTIONAL = ("external_data_usage", "split_adaptations", "system_adaptations")
# Bits of a parameter in float32, the widest that anyone submits; the narrowest is one bit.
_MOST_BITS = 32
# Accuracies are given with one decimal or more.
_ROUNDING = 0.1


def meta_defects(
    meta: object,
    where: str,
    label: str,
    scenes: Sequence[str] = tau.SCENES,
    devices: Sequence[str] = tau.DEVICES,
) -> Iterator[str]:
    """Yields one line for each defect of a meta file's contents.

    Args:
        meta: what YAML gave, of any type.
        where: the name of the file.
        label: the name of the directory that the file is in, which its label must equal.
        scenes: the classes of `class_wise`.
        devices: the recording devices of `device_wise`.
    """
    yield from mapping_defects(meta, where, ("submission", "system", "results"))
    if not isinstance(meta, dict):
        return
    if "submission" in meta:
        yield from submission_defects(meta["submission"], f"{where} field submission", label)
    if "system" in meta:
        yield from _system_defects(meta["system"], f"{where} field system")
    if "results" in meta:
        at = f"{where} field results"
        yield from mapping_defects(meta["results"], at, ("development_dataset",))
        if isinstance(meta["results"], dict) and "development_dataset" in meta["results"]:
            splits = meta["results"]["development_dataset"]
            yield from _split_defects(splits, f"{at}.development_dataset", scenes, devices)


def meta_warnings(meta: object, where: str) -> Iterator[str]:
    """Yields one line for each thing in a meta file that is allowed but hardly meant."""
    if not isinstance(meta, dict):
        return
    system, results = meta.get("system"), meta.get("results")
    description = system.get("description") if isinstance(system, dict) else None
    if isinstance(description, dict):
        for key in _EXPECTED:
            if key in description and description[key] is None:
                yield defect(f"{where} field system.description.{key}", "is null")
    splits = results.get("development_dataset") if isinstance(results, dict) else None
    for name in _SPLITS:
        if not isinstance(splits, dict) or name not in splits:
            continue
        block = splits[name]
        at = f"{where} field results.development_dataset.{name}"
        if block is None:
            yield defect(at, "no results given; they are not mandatory, but recommended")
            continue
        overall = block.get("overall") if isinstance(block, dict) else None
        accuracy = overall.get("accuracy") if isinstance(overall, dict) else None
        if is_number(accuracy) and 0.0 < accuracy <= 1.0:
            yield defect(
                f"{at}.overall.accuracy",
                "looks like a fraction",
                expected="percent",
                received=accuracy,
            )


def submission_defects(
    block: Any, where: str, label: str, pattern: re.Pattern[str] = LABEL
) -> Iterator[str]:
    """Checks the block `submission`: label, names and authors."""
    yield from mapping_defects(block, where, _SUBMISSION)
    if not isinstance(block, dict):
        return
    yield from text_defects(block, ("label", "name"), where)
    given = block.get("label")
    if is_text(given) and not pattern.fullmatch(given):
        task = "task1" if pattern is LABEL else "task1b"
        yield defect(
            f"{where}.label",
            "submission label is badly built",
            expected=f"<lastname>_<institute>_{task}_<1-4>",
            received=shown(given),
        )
    if is_text(given) and given != label:
        yield defect(
            f"{where}.label",
            "differs from the directory",
            expected=shown(label),
            received=shown(given),
        )
    if "abbreviation" in block:
        yield from abbreviation_defects(block["abbreviation"], f"{where}.abbreviation")
    if "authors" in block:
        yield from author_defects(block["authors"], f"{where}.authors")


def _system_defects(block: Any, where: str) -> Iterator[str]:
    yield from mapping_defects(block, where, _SYSTEM)
    if not isinstance(block, dict):
        return
    description = block.get("description")
    if "description" in block:
        at = f"{where}.description"
        yield from mapping_defects(description, at, (*_DESCRIBED, *_EXPECTED, *_OPTIONAL))
    if isinstance(description, dict):
        given = [key for key in (*_EXPECTED, *_OPTIONAL) if description.get(key) is not None]
        yield from text_defects(description, (*_DESCRIBED, *given), at)
    if "complexity" in block:
        yield from _complexity_defects(block["complexity"], f"{where}.complexity")
    yield from dataset_defects(block.get("external_datasets"), f"{where}.external_datasets")
    source = block.get("source_code")
    if source is not None and not is_text(source):
        yield defect(
            f"{where}.source_code",
            "not an address",
            expected="a URL or null",
            received=shown(source),
        )


def _complexity_defects(block: Any, where: str) -> Iterator[str]:
    yield from mapping_defects(block, where, _COMPLEXITY)
    if not isinstance(block, dict):
        return
    limits = {"total_model_size": MAX_MODEL_BYTES, "macs": MAX_MACS}
    for key in _COMPLEXITY:
        value = block.get(key)
        if key in block and not (is_whole(value) and value > 0):
            yield defect(
                f"{where}.{key}",
                "not a positive whole number",
                expected="digits alone, such as 61148",
                received=shown(value),
            )
        elif is_whole(value) and value > limits.get(key, value):
            unit = "bytes" if key == "total_model_size" else "MACs"
            yield defect(
                f"{where}.{key}",
                "over the complexity limit",
                expected=f"at most {limits[key]:,} {unit}",
                received=shown(value),
            )
    size, parameters = block.get("total_model_size"), block.get("total_parameters")
    if not (is_whole(size) and is_whole(parameters) and size > 0 and parameters > 0):
        return
    # Whole numbers throughout: one from outside may be too large for a float.
    if not parameters <= 8 * size <= _MOST_BITS * parameters:
        yield defect(
            f"{where}.total_model_size",
            "does not fit total_parameters",
            expected=f"bytes, 1 to {_MOST_BITS} bits for each of {shown(parameters)} parameters",
            received=shown(size),
        )


def _split_defects(
    splits: Any, where: str, scenes: Sequence[str], devices: Sequence[str]
) -> Iterator[str]:
    yield from mapping_defects(splits, where, _SPLITS, _SPLITS)
    for name in _SPLITS:
        block = splits.get(name) if isinstance(splits, dict) else None
        # A split may be null, and so may each of its parts: results are not mandatory.
        if block is None:
            continue
        at = f"{where}.{name}"
        yield from mapping_defects(block, at, _RESULTS, _RESULTS)
        if not isinstance(block, dict):
            continue
        if block.get("overall") is not None:
            yield from metric_defects(block["overall"], f"{at}.overall")
        for key, members in (("class_wise", scenes), ("device_wise", devices)):
            part = block.get(key)
            if part is None:
                continue
            yield from mapping_defects(part, f"{at}.{key}", members, members)
            for member in members if isinstance(part, dict) else ():
                if member in part:
                    yield from metric_defects(part[member], f"{at}.{key}.{member}")
        yield from _mean_defects(block, at, scenes)


def metric_defects(values: Any, where: str) -> Iterator[str]:
    """Checks a pair of accuracy and log loss; either may be null."""
    yield from mapping_defects(values, where, METRICS, METRICS)
    if not isinstance(values, dict):
        return
    accuracy, logloss = values.get("accuracy"), values.get("logloss")
    if accuracy is not None and not (is_number(accuracy) and 0.0 <= accuracy <= 100.0):
        yield defect(
            f"{where}.accuracy",
            "not an accuracy",
            expected="percent or null",
            received=shown(accuracy),
        )
    if logloss is not None and not (is_number(logloss) and logloss >= 0.0):
        yield defect(
            f"{where}.logloss",
            "not a log loss",
            expected="0 or more, or null",
            received=shown(logloss),
        )


def _mean_defects(block: dict[Any, Any], where: str, scenes: Sequence[str]) -> Iterator[str]:
    """Checks that the overall accuracy is the mean of the class-wise ones, where all are given."""
    overall, classes = block.get("overall"), block.get("class_wise")
    if not isinstance(overall, dict) or not isinstance(classes, dict):
        return
    parts = [classes.get(scene) for scene in scenes]
    accuracies = [part.get("accuracy") for part in parts if isinstance(part, dict)]
    numbers = [accuracy for accuracy in accuracies if is_number(accuracy)]
    accuracy = overall.get("accuracy")
    if len(numbers) < len(scenes) or not is_number(accuracy):
        return
    mean = sum(numbers) / len(numbers)
    if abs(accuracy - mean) > _ROUNDING + 1e-9:
        yield defect(
            f"{where}.overall.accuracy",
            "not the mean of the class-wise accuracies",
            expected=f"{mean:.2f} within {_ROUNDING}",
            received=shown(accuracy),
        )
