"""Assembles a validated package from finished runs and an author card."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcase_system.core.files import replacing_directory
from dcase_system.submission.card import AuthorCard
from dcase_system.submission.meta import SystemDescription, build_meta, write_meta
from dcase_system.submission.package import (
    SystemFiles,
    meta_name,
    submission_label,
    write_package,
)
from dcase_system.submission.validate import validate_package

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class SubmittedRun:
    """One system trained on one split.

    Attributes:
        results: Scores of the submitted variant on the development-test clips.
        output: Output file for the evaluation clips.
        complexity: Complexity report of the run.
    """

    results: Mapping[str, Any]
    output: Path
    complexity: Mapping[str, Any]


@dataclass(frozen=True)
class SubmittedSystem:
    """One system on all its splits; `key` is its name in the author card, such as `S1`."""

    key: str
    description: SystemDescription
    runs: Mapping[int, SubmittedRun]


def assemble(
    folder: Path,
    card: AuthorCard,
    systems: Sequence[SubmittedSystem],
    *,
    scenes: Sequence[str],
    devices: Sequence[str],
    evaluation_filenames: Sequence[str],
    technical_report: Path | None = None,
    for_submission: bool = True,
) -> Path:
    """Writes meta files and the zip for up to four systems and validates it.

    Args:
        folder: Output folder for `task1.zip` and, beside it, the files in it.
        card: Author card.
        systems: Systems in the order of their index in the label, 1 to 4.
        scenes: Class names in the order of the output columns.
        devices: Devices of the development set.
        evaluation_filenames: Clips that every output file must have.
        technical_report: A PDF, or None if it is added by hand.
        for_submission: See `validate_package`.

    Returns:
        The path of the zip.

    Raises:
        InputError: Validation finds an error; the message has the first and the number of errors.
    """
    if not card.external_datasets:
        for system in systems:
            if system.description.external_data_usage:
                _LOG.warning(
                    "%s uses external data (%s), but the author card lists none: add it before "
                    "you submit",
                    system.key,
                    system.description.external_data_usage,
                )
    folder.mkdir(parents=True, exist_ok=True)
    with replacing_directory(folder / "task1") as content:
        files = [
            _write_system(content, card, index, system, scenes, devices)
            for index, system in enumerate(systems, 1)
        ]
        package = folder / "task1.zip"
        write_package(package, files, technical_report)
    splits = sorted({split for system in systems for split in system.runs})
    report = validate_package(
        package,
        splits=splits,
        evaluation_filenames=evaluation_filenames,
        scenes=scenes,
        devices=devices,
        for_submission=for_submission,
    )
    report.check(package)
    return package


def _write_system(
    content: Path,
    card: AuthorCard,
    index: int,
    system: SubmittedSystem,
    scenes: Sequence[str],
    devices: Sequence[str],
) -> SystemFiles:
    label = submission_label(card.label.lastname, card.label.institute, index)
    # One meta file covers all splits: it states the largest of the networks.
    largest = max(
        (run.complexity for run in system.runs.values()),
        key=lambda report: (report["params"], report["macs"]),
    )
    meta = build_meta(
        card,
        label,
        card.system(system.key),
        system.description,
        total_parameters=largest["params"],
        total_model_size=largest["bytes"][largest["precision"]],
        macs=largest["macs"],
        results={split: run.results for split, run in system.runs.items()},
        scenes=scenes,
        devices=devices,
    )
    path = content / label / meta_name(label)
    write_meta(path, meta)
    return SystemFiles(label, path, {split: run.output for split, run in system.runs.items()})
