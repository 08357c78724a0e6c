"""Checks of single files inside a package, shared by the validators of the editions."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dcase_system.core.errors import InputError, defect
from dcase_system.core.zips import ZIP_ERRORS
from dcase_system.submission.archive import damage, oversize, printable
from dcase_system.submission.placeholders import placeholder_defects
from dcase_system.submission.safe_yaml import parse_yaml
from dcase_system.submission.validate_output import output_defects

MAX_LINES = 20
"""Defects reported per file, so that one bad file does not bury the others."""

_META_BYTES = 1 << 18
_REPORT_BYTES = 100_000_000
# A row has a name and ten numbers; 17 digits each are 250 bytes.
_HEADER_BYTES, _ROW_BYTES = 1 << 16, 1 << 10


@dataclass(frozen=True)
class Report:
    """Result of a validation: one line for each error and each warning."""

    errors: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        return not self.errors

    def check(self, package: Path) -> None:
        """Rejects a package with errors.

        Raises:
            InputError: There are errors; the message has the first and their number.
        """
        if self.errors:
            raise InputError(
                f"package is not valid: {self.errors[0]}",
                where=package,
                received=f"{len(self.errors)} errors",
            )


def output_file_defects(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, scenes: Sequence[str], clips: AbstractSet[str]
) -> Iterator[str]:
    """Checks an output file inside a package."""
    too_much = oversize(entry, _HEADER_BYTES + _ROW_BYTES * len(clips))
    if too_much:
        yield too_much
        return
    try:
        with (
            archive.open(entry) as raw,
            io.TextIOWrapper(raw, encoding="utf-8", newline="") as lines,
        ):
            yield from output_defects(lines, printable(entry.filename), scenes, clips)
    except ZIP_ERRORS as error:
        yield damage(entry, error)


def read_meta(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[object, str | None]:
    """Parses a meta file inside a package; returns its value, or the defect that prevents it."""
    where = printable(entry.filename)
    too_much = oversize(entry, _META_BYTES)
    if too_much:
        return None, too_much
    try:
        return parse_yaml(archive.read(entry).decode("utf-8"), where), None
    except InputError as error:
        return None, str(error)
    except UnicodeDecodeError:
        return None, defect(where, "not UTF-8 text")
    except ZIP_ERRORS as error:
        return None, damage(entry, error)


def report_defects(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[str]:
    """Checks a technical report inside a package."""
    too_much = oversize(entry, _REPORT_BYTES)
    if too_much:
        yield too_much
        return
    try:
        with archive.open(entry) as stream:
            if stream.read(5) != b"%PDF-":
                yield defect(printable(entry.filename), "not a PDF file")
            # zipfile compares the checksum at the end.
            while stream.read(1 << 20):
                pass
    except ZIP_ERRORS as error:
        yield damage(entry, error)


def with_placeholders(
    found: Report, meta: object, entry: zipfile.ZipInfo, for_submission: bool
) -> Report:
    """Adds the author card's placeholders that are left in a meta file.

    Args:
        found: Other defects of the file.
        meta: Parsed content of the file.
        entry: Entry of the file in the package.
        for_submission: Whether placeholders are errors, not warnings.
    """
    submission = meta.get("submission") if isinstance(meta, dict) else None
    where = f"{printable(entry.filename)} field submission"
    lines = tuple(limited(placeholder_defects(submission, where), entry))
    if for_submission:
        return Report((*found.errors, *lines), found.warnings)
    return Report(found.errors, (*found.warnings, *lines))


def limited(lines: Iterable[str], file: zipfile.ZipInfo | str) -> Iterator[str]:
    """Yields the first defects of a file, and a line if there are more."""
    name = file if isinstance(file, str) else file.filename
    remaining = iter(lines)
    yield from islice(remaining, MAX_LINES)
    if next(remaining, None) is not None:
        yield defect(printable(name), f"more than {MAX_LINES} defects; unchecked from here")
