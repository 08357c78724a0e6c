"""Reads the tab-separated lists of a corpus, and reports any damage with its line."""

import posixpath
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from dcase_system.core.errors import InputError, visible
from dcase_system.core.locations import Location

_OUTSIDE = r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)"


def read_tsv(
    path: Location, columns: Sequence[str], *, optional: Sequence[str] = ()
) -> pd.DataFrame:
    """Reads a tab-separated list of clips as strings.

    Does not use `pandas.read_csv`, which pads short rows, shifts long ones into the index, skips
    blank lines and interprets quotes: each of these would hide a damaged list or name the wrong
    line.

    Args:
        path: The file, UTF-8, with a header line.
        columns: Required columns, `filename` among them; others are kept unchanged.
        optional: Columns that may be absent; if present, no field is empty either.

    Returns:
        The table; row `r` is line `r + 2` of the file.

    Raises:
        InputError: The file is missing, empty or not such a table, a field is empty, a clip is
            listed twice or is outside the data folder.
    """
    if not path.is_file():
        raise InputError("file is missing", where=path, expected="a tab-separated list of clips")
    try:
        lines = without_blank_end(path.read_text(encoding="utf-8-sig").split("\n"))
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 text ({error})", where=path, expected="a tab-separated list of clips"
        ) from error
    if not lines:
        raise InputError("file is empty", where=path, expected="columns " + ", ".join(columns))
    header, *rows = (line.split("\t") for line in lines)
    _check_header(header, columns, path)
    if not rows:
        raise InputError("list has no rows", where=path, expected="at least one clip")
    for row, fields in enumerate(rows):
        if len(fields) != len(header):
            raise InputError(
                "row has the wrong number of fields",
                where=at_line(path, row),
                expected=f"{len(header)} separated by tabs",
                received=len(fields),
            )
    table = pd.DataFrame(rows, columns=header, dtype=object)
    _check_rows(table, [*columns, *(name for name in optional if name in table)], path)
    return table


def without_blank_end(lines: Iterable[str]) -> list[str]:
    """Leaves out blank lines at the end of a list, which editors and spreadsheets add."""
    kept = list(lines)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _check_header(header: list[str], columns: Sequence[str], path: Location) -> None:
    missing = [column for column in columns if column not in header]
    if missing or len(set(header)) < len(header):
        line = ", ".join(map(visible, header))
        what = f"column {missing[0]!r} is missing" if missing else "a column appears twice"
        if missing and any("," in name or ";" in name for name in header):
            what += ", the file looks comma-separated"
        raise InputError(
            what,
            where=path,
            expected="tab-separated columns " + ", ".join(columns),
            received=line,
        )


def _check_rows(table: pd.DataFrame, columns: Sequence[str], path: Location) -> None:
    for column in columns:
        row = first_row(table[column].str.strip() == "")
        if row is not None:
            raise InputError(f"field {column!r} is empty", where=at_line(path, row))
    # `audio//x.wav` and `./audio/x.wav` are the file `audio/x.wav`.
    row = first_row(table.filename.map(posixpath.normpath).duplicated())
    if row is not None:
        raise InputError(
            "clip is listed twice",
            where=at_line(path, row),
            expected="each clip once",
            received=table.filename[row],
        )
    row = first_row(table.filename.str.contains(_OUTSIDE, regex=True))
    if row is not None:
        raise InputError(
            "clip lies outside the data folder",
            where=at_line(path, row),
            expected="a path below it, such as audio/x.wav",
            received=table.filename[row],
        )


def first_row(mask: pd.Series) -> int | None:
    """Position of the first True; None if there is none."""
    rows = np.flatnonzero(mask.to_numpy(bool))
    return int(rows[0]) if rows.size else None


def at_line(path: Location, row: int) -> str:
    """File and line of a table's row, for an error."""
    return f"{path} line {row + 2}"
