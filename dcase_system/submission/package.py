"""The package: one zip with up to four systems, in the organisers' layout."""

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcase_system.core.errors import InputError
from dcase_system.core.files import replacing
from dcase_system.submission.fields import LABEL, LABEL_PART

TASK = "task1"
MAX_SYSTEMS = 4
REPORT_SUFFIX = ".technical_report.pdf"

# The earliest date that a zip can hold. With the current time, the same submission would give
# different bytes each time.
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644
_UNIX = 3


@dataclass(frozen=True)
class SystemFiles:
    """The files of one system.

    Attributes:
        label: Submission label, `Doe_EXU_task1_1`.
        meta: Meta file.
        outputs: Output files by split percentage.
    """

    label: str
    meta: Path
    outputs: Mapping[int, Path]


def submission_label(
    lastname: str, institute_abbreviation: str, index: int, task: str = TASK
) -> str:
    """Builds the label that names a system's directory and files.

    Args:
        lastname: Last name of the corresponding author.
        institute_abbreviation: Abbreviation of that author's institute.
        index: Index of the system among the author's submissions, 1 to 4.
        task: `task1`, or `task1b` in 2020.

    Raises:
        InputError: A part has characters other than ASCII letters, digits and hyphens, or the
            index is out of range.
    """
    for part in (lastname, institute_abbreviation):
        if not LABEL_PART.fullmatch(part):
            raise InputError(
                "cannot be part of the label",
                where="submission label",
                expected="ASCII letters, digits and hyphens",
                received=repr(part),
            )
    if index not in range(1, MAX_SYSTEMS + 1):
        raise InputError(
            "index out of range",
            where="submission label",
            expected=f"1 to {MAX_SYSTEMS}",
            received=index,
        )
    return f"{lastname}_{institute_abbreviation}_{task}_{index}"


def meta_name(label: str) -> str:
    return f"{label}.meta.yaml"


def output_name(label: str, split: int) -> str:
    return f"{label}.output.split_{split}.csv"


def write_package(
    zip_path: str | Path, systems: Sequence[SystemFiles], technical_report: str | Path | None = None
) -> None:
    """Writes the package; the same files always give the same bytes.

    The technical report, one for all systems, is named after the label without its index.

    Raises:
        InputError: There is no system or more than four, a label is repeated or malformed, or a
            file is missing.
    """
    _refuse_systems(zip_path, systems)
    contents: dict[str, Path] = {}
    for system in systems:
        folder = f"{TASK}/{system.label}"
        contents[f"{folder}/{meta_name(system.label)}"] = Path(system.meta)
        for split, path in system.outputs.items():
            contents[f"{folder}/{output_name(system.label, split)}"] = Path(path)
    if technical_report is not None:
        shared = systems[0].label.rpartition("_")[0]
        contents[f"{TASK}/{shared}{REPORT_SUFFIX}"] = Path(technical_report)
    write_zip(zip_path, contents)


def write_zip(zip_path: str | Path, contents: Mapping[str, Path]) -> None:
    """Writes files into a zip, by their names in it; the same files always give the same bytes.

    Raises:
        InputError: A file is missing.
    """
    for name, path in contents.items():
        if not path.is_file():
            raise InputError(f"file for {name} is missing", where=path)
    with (
        replacing(zip_path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
    ):
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, _TIMESTAMP)
            entry.create_system = _UNIX
            entry.external_attr = _REGULAR_FILE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.file_size = contents[name].stat().st_size
            with contents[name].open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)


def _refuse_systems(zip_path: str | Path, systems: Sequence[SystemFiles]) -> None:
    if not 1 <= len(systems) <= MAX_SYSTEMS:
        raise InputError(
            "wrong number of systems",
            where=zip_path,
            expected=f"1 to {MAX_SYSTEMS}",
            received=len(systems),
        )
    labels = [system.label for system in systems]
    for position, label in enumerate(labels):
        if not LABEL.fullmatch(label):
            raise InputError(
                "submission label is malformed",
                where=zip_path,
                expected="<lastname>_<institute>_task1_<1-4>",
                received=repr(label),
            )
        if label in labels[:position]:
            raise InputError("two systems have the same label", where=zip_path, received=label)
