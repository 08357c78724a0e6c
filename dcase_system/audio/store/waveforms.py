"""Reading a store: waveforms of clips in the order they were asked for."""

import resource
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcase_system.arrays import check_mapped
from dcase_system.audio.store.form import FULL_SCALE
from dcase_system.errors import InputError

_MOST_OPEN = 128  # maps of a list, a file descriptor each


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
    beyond them a shard is mapped when it is read, and the one not read for longest is let go.

    Attributes:
        files: of the shards.
        shape: (rows of all, *shape of one).
    """

    def __init__(self, files: Sequence[RowsFile], shape: tuple[int, ...]):
        self.files = tuple(files)
        self._first = np.cumsum([0, *(file.rows for file in files)])
        self.shape = (int(self._first[-1]), *shape)
        self._mapped: OrderedDict[int, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._most = max(1, min(_MOST_OPEN, limit // 8))  # several lists may be read at once
        for shard in range(min(self._most, len(self.files))):
            self._rows_of(shard)

    def __len__(self) -> int:
        return self.shape[0]

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
        for shard in map(int, np.unique(shards)):
            values = self._rows_of(shard).view(np.ndarray)  # NumPy's own map is slow to index
            for position in np.flatnonzero(shards == shard):
                found[position] = values[in_shard[position]]

    def _rows_of(self, shard: int) -> np.ndarray:
        with self._lock:
            rows = self._mapped.pop(shard, None)
            if rows is None:
                rows = self._map(self.files[shard])
            self._mapped[shard] = rows  # the last one of all
            if len(self._mapped) > self._most:
                self._mapped.popitem(last=False)
        check_mapped(rows)
        return rows

    def _map(self, file: RowsFile) -> np.ndarray:
        shape = (file.rows, *self.shape[1:])
        expected = int(np.prod(shape, dtype=np.int64)) * np.dtype(np.int16).itemsize
        try:
            status = file.path.stat()
            if (status.st_size, status.st_mtime_ns) == (expected, file.written):
                return np.memmap(file.path, np.int16, "r", shape=shape)
            found = f"{status.st_size:,} bytes, or of another time"
        except FileNotFoundError:
            found = "none"
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
