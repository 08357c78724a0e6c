"""Finds the recordings of a user: class folders, ready-made parts, or a table."""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dcase_system.core.errors import InputError
from dcase_system.core.locations import files_below
from dcase_system.corpora.corpus import SEPARATOR
from dcase_system.corpora.formats import SUFFIXES

PARTS = ("train", "validation", "test")
_Grouping = Callable[[PurePosixPath], str]
_COLUMNS = {"file", "label", "group", "start", "end", "part"}


@dataclass(frozen=True)
class Recording:
    """A recording, or a part of one.

    Attributes:
        path: Path below the data folder.
        label: Its class, or several in alphabetical order, such as `dog;rain`.
        group: Windows of one group are never divided between training and test.
        part: `train`, `validation` or `test` if the user has decided, else empty.
        start_seconds: Start of the part that is used.
        end_seconds: Its end; None for the end of the file.
    """

    path: PurePosixPath
    label: str
    group: str
    part: str = ""
    start_seconds: float = 0.0
    end_seconds: float | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Its classes."""
        return tuple(self.label.split(SEPARATOR))

    def __str__(self) -> str:
        if not self.start_seconds and self.end_seconds is None:
            return str(self.path)
        end = "end" if self.end_seconds is None else f"{self.end_seconds:g}"
        return f"{self.path} {self.start_seconds:g}-{end} s"


def find_recordings(source: Path, group_pattern: str | None = None) -> tuple[Path, list[Recording]]:
    """Lists the recordings of a folder of class folders, or of a table.

    In a folder, the class is the first folder below it, or below `train/`, `validation/` and
    `test/` (in any case), which are then taken as they are; without `test/`, `validation/` is it. A
    table is a `.csv` file with the columns `file` and `label`, and optionally `group`, `start`,
    `end` (seconds) and `part`; files are relative to it. Several labels of a recording are one
    field, separated by semicolons.

    Args:
        source: Folder or table.
        group_pattern: Regular expression searched in each path below the folder; recordings with
            the same first group (or the same match) are not divided. By default each recording is
            its own group.

    Returns:
        The folder that the paths start from, and the recordings in alphabetical order.

    Raises:
        InputError: The folder or table is missing, holds no recordings or only one class, a label
            is ambiguous, or the pattern is invalid or does not match a path.
    """
    group_of = _grouping(group_pattern)
    if source.suffix.lower() == ".csv":
        root, found = source.parent, list(_of_table(source, group_of))
    else:
        root, found = source, list(_of_folder(source, group_of))
    labels = sorted({label for one in found for label in one.labels})
    if len(labels) < 2:
        raise InputError(
            "too few classes",
            where=source,
            expected="a folder for each of at least 2 classes, with recordings in it",
            received=", ".join(labels) or "no recordings in folders",
        )
    return root, found


def _grouping(pattern: str | None) -> _Grouping:
    if pattern is None:
        return str
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise InputError(
            f"not a regular expression ({error})", where="--group_pattern", received=pattern
        ) from error

    def group_of(path: PurePosixPath) -> str:
        match = compiled.search(str(path))
        if match is None:
            raise InputError("path does not match --group_pattern", where=path, expected=pattern)
        return match[1] if compiled.groups else match[0]

    return group_of


def _of_folder(root: Path, group_of: _Grouping) -> Iterator[Recording]:
    if not root.is_dir():
        raise InputError(
            "data folder does not exist" if not root.exists() else "not a folder or a .csv table",
            where=root,
            expected="a folder with a folder of recordings for each class, or a .csv table",
        )
    parts = _parts(root)
    for path in map(PurePosixPath, files_below(root, SUFFIXES)):
        folders = path.parts[:-1]
        part = parts.get(folders[0], "") if folders else ""
        if parts and not part:
            continue
        classes = folders[1:] if part else folders
        if classes and SEPARATOR in classes[0]:
            raise InputError(
                "class folder has a semicolon, which separates labels",
                where=root / path.parent,
                expected="another name, or a table with several labels in a field",
            )
        if classes:
            yield Recording(path, classes[0], group_of(path), part)


def _parts(root: Path) -> dict[str, str]:
    """Ready-made parts by the names of their folders; what is validated on is tested on alone."""
    found = {path.name: path.name.lower() for path in root.iterdir() if path.is_dir()}
    parts = {name: part for name, part in found.items() if part in PARTS}
    if "train" not in parts.values() or len(set(parts.values())) < 2:
        return {}
    if "test" not in parts.values():
        parts = {name: part.replace("validation", "test") for name, part in parts.items()}
    return parts


def _of_table(path: Path, group_of: _Grouping) -> Iterator[Recording]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            columns = set(reader.fieldnames or ())
            if not {"file", "label"} <= columns or not columns <= _COLUMNS:
                raise InputError(
                    "wrong columns",
                    where=path,
                    expected="file, label, and any of group, start, end, part",
                    received=", ".join(reader.fieldnames or ()) or "an empty file",
                )
            rows: dict[Any, str] = {}  # label of each file or segment
            for number, row in enumerate(reader, 2):
                where = f"{path} line {number}"
                found = _row(row, where, group_of)
                segment = found.path, found.start_seconds, found.end_seconds
                if rows.setdefault(segment, found.label) != found.label:
                    raise InputError(
                        "recording has other labels in an earlier row",
                        where=where,
                        expected=f"all its labels in one row, such as dog{SEPARATOR}rain",
                        received=f"{found}: {found.label} after {rows[segment]}",
                    )
                yield found
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"table cannot be read ({error})", where=path, expected="a UTF-8 .csv file"
        ) from error


def _row(row: dict[str, str | None], where: str, group_of: _Grouping) -> Recording:
    file, label = ((row.get(name) or "").strip() for name in ("file", "label"))
    part = (row.get("part") or "").strip()
    if not file or not label or None in row or part not in ("", *PARTS):
        raise InputError(
            "row is not valid",
            where=where,
            expected=f"a file, a label, and no part or one of {', '.join(PARTS)}",
            received=", ".join(str(value) for value in row.values()),
        )
    labels = sorted(one.strip() for one in label.split(SEPARATOR))
    if "" in labels or len(set(labels)) < len(labels):
        raise InputError(
            "label is empty or twice in a field",
            where=where,
            expected=f"labels such as dog{SEPARATOR}rain",
            received=label,
        )
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts:
        raise InputError(
            "file lies outside the table's folder", where=where, expected="a path below it"
        )
    try:
        start = float(row.get("start") or 0)
        end = float(row["end"]) if row.get("end") else None  # type: ignore[arg-type]
    except ValueError as error:
        raise InputError(f"time is not a number ({error})", where=where) from error
    if not 0 <= start < (end if end is not None else float("inf")):
        raise InputError(
            "start is not before end", where=where, expected="0 <= start < end, in seconds"
        )
    return Recording(
        path, SEPARATOR.join(labels), row.get("group") or group_of(path), part, start, end
    )
