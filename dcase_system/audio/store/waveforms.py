"""Reading a store: waveforms of clips in the order they were asked for."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcase_system.audio.store.form import FULL_SCALE
from dcase_system.errors import InputError


class StoredRows:
    """The rows of a store, read by their numbers.

    The file stays open, so that a store may be emptied or deleted under its readers. It is read,
    not mapped: to read a map of a file that has been cut would end the process.

    Attributes:
        path: of the file.
        shape: of one row.
        row_bytes: of one.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]):
        self.path = path
        self.shape = shape
        self.row_bytes = int(np.prod(shape)) * np.dtype(np.int16).itemsize
        self._file = path.open("rb", buffering=0)

    def read(self, rows: np.ndarray, found: np.ndarray) -> None:
        """Copies these rows.

        Args:
            rows: numbers of them.
            found: (rows, *shape) of any type, where they go.

        Raises:
            InputError: the file was cut after the store was opened.
        """
        row, handle = np.empty(self.shape, np.int16), self._file.fileno()
        for position, number in enumerate(rows.tolist()):
            size = os.preadv(handle, [row.data], number * row.nbytes)
            if size < row.nbytes:
                raise InputError(
                    "file was truncated while it was read",
                    where=self.path,
                    expected=f"{(number + 1) * row.nbytes:,} bytes; the same command makes it anew",
                    received=f"{number * row.nbytes + size:,}" if size else "fewer",
                )
            found[position] = row


# Arrays have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class Waveforms:
    """Some waveforms, in the order of the clips they were asked for.

    Attributes:
        samples: int16, (rows, clip samples), or (rows, clip samples, channels) of several
            channels: rows of a store, or an array.
        rows: row of each clip.
        key: changes when one of the files that were asked for does.
    """

    samples: StoredRows | np.ndarray
    rows: np.ndarray
    key: str

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one waveform: (clip samples,), or (clip samples, channels) of several channels."""
        if isinstance(self.samples, StoredRows):
            return self.samples.shape
        return self.samples.shape[1:]

    def gather(self, positions: np.ndarray) -> np.ndarray:
        """Waveforms at these positions: float32, (positions, *shape), full scale = 1.

        Raises:
            InputError: the store has been cut since it was opened.
        """
        rows = self.rows[positions]
        found = np.empty((len(rows), *self.shape), np.float32)
        if isinstance(self.samples, StoredRows):
            self.samples.read(rows, found)
        else:
            found[...] = self.samples[rows]
        found /= np.float32(FULL_SCALE)
        return found

    def take(self, positions: np.ndarray) -> "Waveforms":
        return Waveforms(self.samples, self.rows[positions], self.key)
