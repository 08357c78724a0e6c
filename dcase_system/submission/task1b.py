"""Packages of DCASE 2020 Task 1B: their own layout, meta fields and size rule."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dcase_system.complexity.rules import KIB
from dcase_system.core.errors import InputError
from dcase_system.core.files import replacing_directory
from dcase_system.corpora.task1b import CLASSES
from dcase_system.submission.card import AuthorCard
from dcase_system.submission.meta import (
    metrics_block,
    submission_block,
    system_block,
    write_meta,
)
from dcase_system.submission.package import TASK, meta_name, submission_label, write_zip
from dcase_system.submission.validate_task1b import MAX_KIB, TOP, output_name, validate_task1b

LABEL_TASK = "task1b"


@dataclass(frozen=True)
class Description2020:
    """`system.description` of a meta file of 2020; None where a field does not apply.

    Attributes:
        data_augmentation: Augmentation methods, such as `mixup`.
        input_sampling_rate: Sample rate, such as `48kHz`.
        input_channels: Channels, such as `binaural`.
        acoustic_features: Features, such as `scalogram`.
        embeddings: Embeddings of a pre-trained network.
        machine_learning_method: Method, such as `CNN`.
        ensemble_method_subsystem_count: Number of systems in an ensemble.
        decision_making: Decision method, such as `average` of segments.
        external_data_usage: Use of external data, such as `embeddings`.
        complexity_management: Compression methods, such as `weight quantization`.
    """

    data_augmentation: str | None
    input_sampling_rate: str = "48kHz"
    input_channels: str = "binaural"
    acoustic_features: str = "scalogram"
    embeddings: str | None = None
    machine_learning_method: str = "CNN"
    ensemble_method_subsystem_count: int | None = None
    decision_making: str | None = "average"
    external_data_usage: str | None = None
    complexity_management: str | None = "network search, weight quantization"


@dataclass(frozen=True)
class System2020:
    """One submitted system.

    Attributes:
        key: Key in the author card.
        description: Description of the system.
        complexity: Complexity report at the precision of its parameters.
        results: `accuracy`, `logloss` and `class_wise` on the development-test clips.
        output: Output file.
    """

    key: str
    description: Description2020
    complexity: Mapping[str, Any]
    results: Mapping[str, Any]
    output: Path


def build_meta_2020(
    card: AuthorCard, label: str, system: System2020, classes: Sequence[str] = CLASSES
) -> dict[str, Any]:
    """Builds the meta information of one system, in the order of the 2020 template.

    Raises:
        InputError: The system exceeds the 500 KB of the rules.
    """
    counted = counted_bytes(system.complexity)
    if counted > MAX_KIB * KIB:
        raise InputError(
            "network is over the size limit of Task 1B",
            where=label,
            expected=f"at most {MAX_KIB * KIB:,} bytes of non-zero parameters",
            received=f"{counted:,}",
        )
    of_all = system.complexity["bytes"][system.complexity["precision"]]
    bytes_each = of_all // system.complexity["params"]
    return {
        "submission": submission_block(card, label, card.system(system.key)),
        "system": system_block(
            card,
            asdict(system.description),
            {
                "total_parameters": int(system.complexity["params"]),
                "total_parameters_non_zero": counted // bytes_each,
                "model_size": round(counted / KIB, 2),
            },
        ),
        "results": {
            "development_dataset": {
                "overall": metrics_block(system.results),
                "class_wise": {
                    name: metrics_block(system.results["class_wise"].get(name)) for name in classes
                },
            }
        },
    }


def counted_bytes(complexity: Mapping[str, Any]) -> int:
    """Returns the bytes counted by the rules of 2020: non-zero parameters without batch norm."""
    return complexity["rules"]["2020 Task 1B"][0]["value"]


def assemble_task1b(
    folder: Path,
    card: AuthorCard,
    systems: Sequence[System2020],
    *,
    evaluation_filenames: Sequence[str],
    classes: Sequence[str] = CLASSES,
    for_submission: bool = True,
) -> Path:
    """Writes meta files and the zip for up to four systems and validates it.

    Args:
        folder: Output folder for `task1b.zip` and, beside it, the meta files.
        card: Author card.
        systems: Systems in the order of their index in the label, 1 to 4.
        evaluation_filenames: Clips that every output file must have.
        classes: Names of the output columns.
        for_submission: See `validate_task1b`.

    Returns:
        The path of the zip.

    Raises:
        InputError: A system exceeds the size limit, or validation finds an error.
    """
    contents: dict[str, Path] = {}
    with replacing_directory(folder / "task1b") as temporary:
        for index, system in enumerate(systems, 1):
            label = submission_label(card.label.lastname, card.label.institute, index, LABEL_TASK)
            write_meta(temporary / meta_name(label), build_meta_2020(card, label, system, classes))
            place = f"{TOP}/{TASK}/{label}"
            contents[f"{place}/{meta_name(label)}"] = folder / "task1b" / meta_name(label)
            contents[f"{place}/{output_name(label)}"] = system.output
    package = folder / "task1b.zip"
    write_zip(package, contents)
    report = validate_task1b(
        package,
        evaluation_filenames=evaluation_filenames,
        classes=classes,
        for_submission=for_submission,
    )
    report.check(package)
    return package
