"""Lists of labelled events, in the format of DCASE's sound event detection tasks."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from dcase_system.core.errors import InputError

_COLUMNS = "onset", "offset", "event_label"
_FILE = "filename"


@dataclass(frozen=True)
class Event:
    """A stretch of a recording in which a class sounds."""

    onset_seconds: float
    offset_seconds: float
    label: str


def read_events(
    path: Path, recordings: Sequence[str], labels: Sequence[str]
) -> dict[str, list[Event]]:
    """Reads the events of some recordings, in order of onset.

    The list has a header and the columns onset and offset (seconds) and event_label, separated by
    tabs or by commas. With several recordings it also has a column filename. A row with nothing but
    a filename says that the recording has no events.

    Args:
        path: The list.
        recordings: Paths of the recordings; a row names one by the end of its path.
        labels: Classes of the model.

    Raises:
        InputError: The list cannot be read, a row is not such an event, names no recording or a
            class that the model does not have, or a recording is in no row.
    """
    rows = _rows(path)
    events: dict[str, list[Event]] = {}
    for number, row in enumerate(rows, 2):
        where = f"{path} line {number}"
        recording = _recording(row, recordings, where)
        found = events.setdefault(recording, [])
        if any(row[column] for column in _COLUMNS):
            found.append(_event(row, labels, where))
    if len(recordings) == 1:
        events.setdefault(recordings[0], [])
    for recording in recordings:
        if recording not in events:
            raise InputError(
                "recording is in no row of the list of events",
                where=recording,
                expected=f"a row in {path}; of a filename alone if it has no events",
            )
    return {
        name: sorted(found, key=lambda one: one.onset_seconds) for name, found in events.items()
    }


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"list of events cannot be read ({error})", where=path, expected="a UTF-8 text file"
        ) from error
    delimiter = "\t" if lines and "\t" in lines[0] else ","
    header, *rows = list(csv.reader(lines, delimiter=delimiter)) or [[]]
    if not set(_COLUMNS) <= set(header) <= {*_COLUMNS, _FILE} or len(set(header)) < len(header):
        raise InputError(
            "wrong columns",
            where=path,
            expected=f"{', '.join(_COLUMNS)}, and {_FILE} with several recordings",
            received=", ".join(header) or "an empty file",
        )
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise InputError(
                "row has the wrong number of fields",
                where=f"{path} line {number}",
                expected=len(header),
                received=len(row),
            )
    return [dict(zip(header, (field.strip() for field in row), strict=True)) for row in rows]


def _recording(row: dict[str, str], recordings: Sequence[str], where: str) -> str:
    if _FILE not in row and len(recordings) == 1:
        return recordings[0]
    named = Path(row.get(_FILE, "")).parts
    found = [one for one in recordings if named and Path(one).parts[-len(named) :] == named]
    if len(found) != 1:
        raise InputError(
            "event of no recording" if not found else "event of several recordings",
            where=where,
            expected=f"in column {_FILE}, the end of the path of one recording that was given",
            received=row.get(_FILE, f"no column {_FILE}"),
        )
    return found[0]


def _event(row: dict[str, str], labels: Sequence[str], where: str) -> Event:
    label, times = row["event_label"], (row["onset"], row["offset"])
    try:
        onset, offset = map(float, times)
    except ValueError:
        onset = offset = float("nan")
    if not (isfinite(onset) and isfinite(offset) and 0 <= onset < offset):
        raise _unfit("onset and offset are no stretch", where, "0 <= onset < offset", times)
    if label not in labels:
        raise _unfit("class that the model does not have", where, ", ".join(labels), label)
    return Event(onset, offset, label)


def _unfit(what: str, where: str, expected: str, received: Any) -> InputError:
    shown = received if isinstance(received, str) else " to ".join(received)
    return InputError(what, where=where, expected=expected, received=shown)
