"""Which clips are wanted, where their rows are, and the plans of shards for the others."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np

from dcase_system.audio.store.form import Form
from dcase_system.audio.store.shards import Shard, shards_of
from dcase_system.errors import InputError
from dcase_system.places import Place, Url

_LOG = logging.getLogger(__name__)
_NAMES_A_CALL, _CALLS_AT_ONCE = 1_000, 16  # of stat: on a network disk each waits for an answer


# Arrays have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class Rows:
    """Where the rows of wanted clips are.

    Attributes:
        shards: that hold some of them and are done.
        clips: of each shard, wanted or not.
        shard: for each wanted clip its position in `shards`, -1 where it has no row yet.
        row: for each wanted clip its row in that shard.
    """

    shards: tuple[Shard, ...]
    clips: tuple[int, ...]
    shard: np.ndarray
    row: np.ndarray

    @property
    def complete(self) -> bool:
        return bool((self.shard >= 0).all())


def status_of(path: Place) -> str:
    """Size and modification time of a file, as in a plan.

    Raises:
        OSError: it is missing, or the disk does not answer.
    """
    status = path.stat()
    return f"{status.st_size}\t{status.st_mtime_ns}"


def stat_all(root: Place, filenames: Sequence[str]) -> dict[str, str]:
    """The status of each file, by its name.

    Raises:
        InputError: some are missing, or a name has a line break.
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
            "%s: modification times are unknown: a clip that is replaced by one of its size will "
            "not be noticed",
            root,
        )
    broken = next((name for name in filenames if "\n" in name), None)
    if broken is not None:
        raise InputError("name of a clip has a line break", where=root, received=broken)
    return {name: status for name, status in zip(filenames, found, strict=True) if status}


def find_rows(store: Path, form: Form, position: Mapping[str, int]) -> Rows:
    """Where the rows of wanted clips are.

    Args:
        store: folder of the store.
        form: of the store.
        position: of each wanted clip, by its line in a plan.
    """
    shard_of, row_of = np.full(len(position), -1, np.int32), np.zeros(len(position), np.int32)
    shards: list[Shard] = []
    clips: list[int] = []
    for shard, lines in _plans(store):
        if not shard.is_done(len(lines), form.row_bytes):
            continue
        found = [(position[line], row) for row, line in enumerate(lines) if line in position]
        if found:
            wanted, rows = np.array(found).T
            shard_of[wanted], row_of[wanted] = len(shards), rows
            shards.append(shard)
            clips.append(len(lines))
    return Rows(tuple(shards), tuple(clips), shard_of, row_of)


def plan_shards(
    store: Path, form: Form, wanted: Sequence[str], shard_bytes: int, *, alone: bool
) -> dict[Shard, int]:
    """Makes plans for the wanted clips that are in none; the caller holds the store's lock.

    Args:
        store: folder of the store.
        form: of the store.
        wanted: lines of the wanted clips.
        shard_bytes: most that the rows of a shard may take.
        alone: whether no other process is at work on the store. Then the plans that are not done
            and hold anything but wanted clips are given up: their files have changed, or nobody
            asks for them any more. If not, they may be what the others are about to do.

    Returns:
        The shards with wanted clips that are to be written, and the clips of each.
    """
    left, taken = dict.fromkeys(wanted), set()
    asked_for = frozenset(left)
    to_write: dict[Shard, int] = {}
    for shard, lines in _plans(store):
        done = shard.is_done(len(lines), form.row_bytes)
        if not done and alone and not asked_for.issuperset(lines):
            shard.remove()
            continue
        taken.add(shard.number)
        if not done and not left.keys().isdisjoint(lines):
            to_write[shard] = len(lines)
        for line in lines:
            left.pop(line, None)
    numbers = (number for number in count() if number not in taken)
    clips = max(1, shard_bytes // form.row_bytes)
    lines = list(left)
    for at, number in zip(range(0, len(lines), clips), numbers, strict=False):
        shard = Shard(store, number)
        shard.write_plan(lines[at : at + clips])
        to_write[shard] = len(lines[at : at + clips])
    return to_write


def _plans(store: Path) -> Iterator[tuple[Shard, list[str]]]:
    return ((shard, shard.lines()) for shard in shards_of(store))


def _status_or_none(path: Place) -> str | None:
    try:
        return status_of(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
