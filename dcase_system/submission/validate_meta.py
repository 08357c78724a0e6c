"""Validates meta files: required fields, their contents, limits and plausibility."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import pydantic
from pydantic import AfterValidator, Field

from dcase_system.core.checked import defects, fault, says
from dcase_system.core.errors import defect, shown
from dcase_system.corpora import tau
from dcase_system.submission.fields import (
    LABEL,
    Abbreviation,
    Address,
    Authors,
    Datasets,
    Text,
    block,
)
from dcase_system.submission.meta import SystemDescription

# Repeated from dcase_system.complexity.rules, which would load TensorFlow here.
MAX_MODEL_BYTES = 128_000
MAX_MACS = 30_000_000

_SPLITS = tuple(f"split_{split}" for split in tau.SPLITS)
# Every system has these; null is allowed, but probably a mistake.
_EXPECTED = ("data_augmentation", "complexity_management", "pipeline")
# Bits of a float32 parameter, the widest in use; the narrowest has one bit.
_MOST_BITS = 32
# Accuracies have at least one decimal.
_ROUNDING = 0.1


def _own_label(label: str, info: pydantic.ValidationInfo) -> str:
    """Compares the label with the context: name of the directory, and the edition's pattern."""
    directory, pattern = info.context  # type: ignore[misc]
    if not pattern.fullmatch(label):
        task = "task1" if pattern is LABEL else "task1b"
        raise fault("submission label is malformed", f"<lastname>_<institute>_{task}_<1-4>")
    if label != directory:
        raise fault("differs from the directory", shown(directory))
    return label


@dataclass(frozen=True)
class Submission:
    """The block `submission`, the same in every edition."""

    label: Annotated[Text, AfterValidator(_own_label)]
    name: Text
    abbreviation: Abbreviation
    authors: Authors


def at_most(limit: float, what: str, unit: str) -> Any:
    """Annotates a number that the rules limit."""

    def check(value: float) -> float:
        if value > limit:
            raise fault(what, f"at most {limit:,} {unit}")
        return value

    return AfterValidator(check)


_Count = Annotated[
    int,
    Field(strict=True, gt=0),
    says("not a positive whole number", "digits alone, such as 61148"),
]
_OVER = "over the complexity limit"


@dataclass(frozen=True)
class _Complexity:
    total_model_size: Annotated[_Count, at_most(MAX_MODEL_BYTES, _OVER, "bytes")]
    total_parameters: _Count
    macs: Annotated[_Count, at_most(MAX_MACS, _OVER, "MACs")]

    def __post_init__(self) -> None:
        # Integers throughout: an untrusted one may be too large for a float.
        if (
            not self.total_parameters
            <= 8 * self.total_model_size
            <= (_MOST_BITS * self.total_parameters)
        ):
            raise fault(
                "does not fit total_parameters",
                f"bytes, 1 to {_MOST_BITS} bits for each parameter",
                at="total_model_size",
                received=self.total_model_size,
            )


@dataclass(frozen=True)
class _System:
    description: SystemDescription
    complexity: _Complexity
    external_datasets: Datasets
    source_code: Address


def metrics(null: bool) -> Any:
    """Builds the type of an accuracy in percent and a log loss.

    Args:
        null: Whether each of them may be null.
    """
    at_least_0 = Field(strict=True, ge=0, allow_inf_nan=False)
    accuracy, logloss = Annotated[float, at_least_0, Field(le=100)], Annotated[float, at_least_0]
    in_percent, or_more = "percent", "0 or more"
    if null:
        accuracy, logloss = accuracy | None, logloss | None
        in_percent, or_more = "percent or null", "0 or more, or null"
    return block(
        {
            "accuracy": Annotated[accuracy, says("not an accuracy", in_percent)],
            "logloss": Annotated[logloss, says("not a log loss", or_more)],
        }
    )


_METRICS = metrics(null=True)


def _is_mean(split: dict[str, Any]) -> dict[str, Any]:
    """Compares the overall accuracy with the mean of the class-wise ones, if all are present."""
    accuracy = (split["overall"] or {}).get("accuracy")
    classes = (split["class_wise"] or {}).values()
    parts = [one["accuracy"] for one in classes if one["accuracy"] is not None]
    if accuracy is None or not parts or len(parts) < len(classes):
        return split
    mean = sum(parts) / len(parts)
    if abs(accuracy - mean) > _ROUNDING + 1e-9:
        what = "not the mean of the class-wise accuracies"
        expected = f"{mean:.2f} within {_ROUNDING}"
        raise fault(what, expected, at="overall.accuracy", received=accuracy)
    return split


@cache
def _meta_file(scenes: tuple[str, ...], devices: tuple[str, ...]) -> Any:
    """Builds the type of a meta file. Splits and their parts may be null: results are optional."""
    parts = {
        "overall": _METRICS | None,
        "class_wise": block(dict.fromkeys(scenes, _METRICS)) | None,
        "device_wise": block(dict.fromkeys(devices, _METRICS)) | None,
    }
    split: Any = Annotated[block(parts), AfterValidator(_is_mean)]
    return meta_file(_System, block(dict.fromkeys(_SPLITS, split | None)))


def meta_file(system: type, results: Any) -> Any:
    """Builds the type of an edition's meta files; additional fields are allowed.

    Args:
        system: Type of the block `system`.
        results: Type of the block `results.development_dataset`.
    """
    results = block({"development_dataset": results}, "ignore")
    return block({"submission": Submission, "system": system, "results": results}, "ignore")


def meta_defects(
    meta: object,
    where: str,
    label: str,
    scenes: Sequence[str] = tau.SCENES,
    devices: Sequence[str] = tau.DEVICES,
) -> Iterator[str]:
    """Yields one line for each defect of a meta file's contents.

    Args:
        meta: Content as parsed from YAML, of any type.
        where: Name of the file.
        label: Name of the file's directory, which the label must equal.
        scenes: Classes of `class_wise`.
        devices: Recording devices of `device_wise`.
    """
    kind = _meta_file(tuple(scenes), tuple(devices))
    yield from defects(meta, kind, where, context=(label, LABEL))


def meta_warnings(meta: object, where: str) -> Iterator[str]:
    """Yields one line for each value that is allowed but probably a mistake."""
    description = _inside(meta, "system", "description")
    for key in _EXPECTED:
        if key in description and description[key] is None:
            yield defect(f"{where} field system.description.{key}", "is null")
    splits = _inside(meta, "results", "development_dataset")
    for name in filter(splits.__contains__, _SPLITS):
        at = f"{where} field results.development_dataset.{name}"
        if splits[name] is None:
            yield defect(at, "no results given; they are not mandatory, but recommended")
        accuracy = _inside(splits, name, "overall").get("accuracy")
        if isinstance(accuracy, int | float) and 0 < accuracy <= 1:
            yield defect(
                f"{at}.overall.accuracy",
                "looks like a fraction",
                expected="percent",
                received=accuracy,
            )


def _inside(value: Any, *keys: str) -> dict[Any, Any]:
    """Returns the mapping under these keys; an empty one if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
