"""Reading a store: waveforms of clips in the order they were asked for."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcase_system.audio.store.form import FULL_SCALE
from dcase_system.core.errors import InputError


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

    def expect(self, rows: list[int]) -> None:
        """Has the system fetch these rows all at once, where it can be asked to."""
        if hasattr(os, "posix_fadvise"):
            handle, size = self._file.fileno(), self.row_bytes
            for row in rows:
                os.posix_fadvise(handle, row * size, size, os.POSIX_FADV_WILLNEED)

    def __getitem__(self, number: int) -> np.ndarray:
        """A row, int16 of the shape.

        Raises:
            InputError: the file was cut after the store was opened.
        """
        row = np.empty(self.shape, np.int16)
        size = os.preadv(self._file.fileno(), [row.data], number * row.nbytes)
        if size < row.nbytes:
            raise InputError(
                "file was truncated while it was read",
                where=self.path,
                expected=f"{(number + 1) * row.nbytes:,} bytes; run the same command again to rebuild it",
                received=f"{os.fstat(self._file.fileno()).st_size:,}",
            )
        return row


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
        rows = self.rows[positions].tolist()
        if isinstance(self.samples, StoredRows):
            self.samples.expect(rows)
        found = np.empty((len(rows), *self.shape), np.float32)
        for waveform, row in zip(found, rows, strict=True):
            waveform[...] = self.samples[row]
            waveform /= FULL_SCALE  # while it is in the processor's cache
        return found

    def take(self, positions: np.ndarray) -> "Waveforms":
        return Waveforms(self.samples, self.rows[positions], self.key)
