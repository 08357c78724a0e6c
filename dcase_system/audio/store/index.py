"""The index of a store: a line for each clip that has a row."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.core.files import replacing
from dcase_system.core.locations import Location, Url

INDEX_FILE = "index.tsv"

_LOG = logging.getLogger(__name__)
_NAMES_A_CALL, _CALLS_AT_ONCE = 1_000, 16  # for stat, which waits for each answer on a network disk


def status_of(path: Location) -> str:
    """Size and modification time of a file, as in a line of the index.

    Raises:
        OSError: The file is missing, or the disk does not answer.
    """
    status = path.stat()
    return f"{status.st_size}\t{status.st_mtime_ns}"


def stat_all(root: Location, filenames: Sequence[str]) -> dict[str, str]:
    """Returns the status of each file by name.

    Raises:
        InputError: A file is missing, or a name has a line break.
    """

    def statuses(names: Sequence[str]) -> list[str | None]:
        return [_status_or_none(root / name) for name in names]

    parts = range(0, len(filenames), _NAMES_A_CALL)
    with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
        calls = pool.map(statuses, (filenames[at : at + _NAMES_A_CALL] for at in parts))
        found = [status for call in calls for status in call]
    missing = [name for name, status in zip(filenames, found, strict=True) if status is None]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError("clip of the list is missing", where=root, received=missing[0] + others)
    if isinstance(root, Url) and any(status and status.endswith("\t0") for status in found):
        _LOG.warning(
            "%s: modification times are unknown: replacing a clip by one of the same size will "
            "not be noticed",
            root,
        )
    broken = next((name for name in filenames if "\n" in name), None)
    if broken is not None:
        raise InputError("name of a clip has a line break", where=root, received=broken)
    return {name: status for name, status in zip(filenames, found, strict=True) if status}


def lines_of(files: Mapping[str, str]) -> list[bytes]:
    """Returns the lines of files, given the result of `stat_all`."""
    return [
        f"{name}\t{status}".encode("utf-8", "surrogateescape") for name, status in files.items()
    ]


def clip_of(line: bytes) -> tuple[str, str]:
    """Splits a line into the name and status of its file."""
    name, size, time = line.decode("utf-8", "surrogateescape").rsplit("\t", 2)
    return name, f"{size}\t{time}"


def rows_of(path: Path, lines: Sequence[bytes]) -> np.ndarray:
    """Returns the row of each line in an index; appends missing lines.

    Args:
        path: Path of the index; no other process may change it meanwhile.
        lines: Distinct lines.
    """
    position = {line: at for at, line in enumerate(lines)}
    rows = np.full(len(lines), -1, np.int64)
    content = path.read_bytes() if path.exists() else b""
    known = content.split(b"\n")[:-1]  # a last line without a newline is truncated
    for row, line in enumerate(known):
        if line in position:
            rows[position[line]] = row
    new = np.flatnonzero(rows < 0)
    if len(new):
        rows[new] = len(known) + np.arange(len(new))
        with replacing(path) as temporary, temporary.open("wb") as stream:
            stream.writelines(b"%s\n" % line for line in known)
            stream.writelines(b"%s\n" % lines[at] for at in new.tolist())
    return rows


def _status_or_none(path: Location) -> str | None:
    try:
        return status_of(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
