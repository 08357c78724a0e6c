"""Reading a store: waveforms of clips in the order they were asked for."""

import mmap
import os
import resource
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcase_system.arrays import check_map
from dcase_system.audio.store.form import FULL_SCALE
from dcase_system.errors import InputError

_MOST_OPEN = 128  # maps of a list, a file descriptor each


# Arrays have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class _Mapped:
    """The rows of a shard as an array, and the map that it looks at."""

    rows: np.ndarray
    map: mmap.mmap

    def advise(self, rows: np.ndarray) -> None:
        """Has these rows read: all at once, and nothing but them."""
        row_bytes = self.rows[0].nbytes
        for row in rows.tolist():
            start = row * row_bytes // mmap.PAGESIZE * mmap.PAGESIZE
            self.map.madvise(mmap.MADV_WILLNEED, start, (row + 1) * row_bytes - start)


@dataclass(frozen=True)
class RowsFile:
    """The rows of a shard that is done.

    Attributes:
        path: of the file.
        rows: in it.
        written: when, in nanoseconds: another time is that of other rows.
    """

    path: Path
    rows: int
    written: int


class ShardedRows:
    """The rows of shards, one after another, read by their numbers.

    The first shards are mapped at once, so that a store of few may be deleted under its readers;
    beyond them a shard is mapped when it is read, and the one not read for longest is let go. Of
    so many shards the system would read, at each row, all the megabytes around it that its
    read-ahead is set to, so that it is told which rows are wanted.

    Attributes:
        files: of the shards.
        shape: (rows of all, *shape of one).
    """

    def __init__(self, files: Sequence[RowsFile], shape: tuple[int, ...]):
        self.files = tuple(files)
        self._first = np.cumsum([0, *(file.rows for file in files)])
        self.shape = (int(self._first[-1]), *shape)
        self._mapped: OrderedDict[int, _Mapped] = OrderedDict()
        self._lock = threading.Lock()
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._most = max(1, min(_MOST_OPEN, limit // 8))  # several lists may be read at once
        self._advised = len(self.files) > self._most
        for shard in range(min(self._most, len(self.files))):
            self._shard(shard)

    @property
    def nbytes(self) -> int:
        """Of all rows."""
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(np.int16).itemsize

    def read(self, rows: np.ndarray, found: np.ndarray) -> None:
        """Copies these rows.

        Args:
            rows: numbers of them.
            found: (rows, *shape of one) of any type, where they go.

        Raises:
            InputError: a shard was cut, deleted or replaced after the store was opened.
        """
        shards = np.searchsorted(self._first, rows, "right") - 1
        in_shard = rows - self._first[shards]
        wanted = {shard: shards == shard for shard in np.unique(shards).tolist()}
        if self._advised:
            for shard, of_shard in wanted.items():
                self._shard(shard).advise(in_shard[of_shard])
        for shard, of_shard in wanted.items():
            values = self._shard(shard).rows
            for position in np.flatnonzero(of_shard):
                found[position] = values[in_shard[position]]

    def _shard(self, shard: int) -> _Mapped:
        with self._lock:
            mapped = self._mapped.pop(shard, None)
            if mapped is None:
                mapped = self._map(self.files[shard])
            self._mapped[shard] = mapped  # the last one of all
            if len(self._mapped) > self._most:
                self._mapped.popitem(last=False)
        check_map(mapped.map, self.files[shard].path)
        return mapped

    def _map(self, file: RowsFile) -> _Mapped:
        shape = (file.rows, *self.shape[1:])
        expected = int(np.prod(shape, dtype=np.int64)) * np.dtype(np.int16).itemsize
        found = "none"
        with suppress(FileNotFoundError), file.path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if (status.st_size, status.st_mtime_ns) == (expected, file.written):
                mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
                if self._advised:
                    mapped.madvise(mmap.MADV_RANDOM)
                return _Mapped(np.frombuffer(mapped, np.int16).reshape(shape), mapped)
            found = f"{status.st_size:,} bytes, or of another time"
        raise InputError(
            "shard of the store was cut, deleted or replaced while it was read",
            where=file.path,
            expected=f"{expected:,} bytes; the same command makes it anew",
            received=found,
        )


# Arrays have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class Waveforms:
    """Some waveforms, in the order of the clips they were asked for.

    Attributes:
        samples: int16, (rows, clip samples), or (rows, clip samples, channels) of several
            channels: shards of a store, or an array.
        rows: row of each clip.
        key: changes when one of the files that were asked for does.
    """

    samples: ShardedRows | np.ndarray
    rows: np.ndarray
    key: str

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one waveform: (clip samples,), or (clip samples, channels) of several channels."""
        return self.samples.shape[1:]

    def gather(self, positions: np.ndarray) -> np.ndarray:
        """Waveforms at these positions: float32, (positions, *shape), full scale = 1.

        Raises:
            InputError: the store has been cut or replaced since it was opened.
        """
        rows = self.rows[positions]
        found = np.empty((len(rows), *self.shape), np.float32)
        if isinstance(self.samples, ShardedRows):
            self.samples.read(rows, found)
        else:
            found[...] = self.samples[rows]
        found /= np.float32(FULL_SCALE)
        return found

    def take(self, positions: np.ndarray) -> "Waveforms":
        return Waveforms(self.samples, self.rows[positions], self.key)
