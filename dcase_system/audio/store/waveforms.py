"""Reads a store: waveforms of clips in the requested order."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcase_system.audio.store.store_format import FULL_SCALE
from dcase_system.core.errors import InputError


class StoredRows:
    """The rows of a store, read by number.

    The file stays open, so a store may be emptied or deleted while it is read. It is read, not
    mapped: reading a map of a truncated file would kill the process.

    Attributes:
        path: Path of the file.
        shape: Shape of a row.
        row_bytes: Bytes of a row.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]):
        self.path = path
        self.shape = shape
        self.row_bytes = int(np.prod(shape)) * np.dtype(np.int16).itemsize
        self._file = path.open("rb", buffering=0)

    def expect(self, rows: list[int]) -> None:
        """Asks the operating system to prefetch these rows, where it supports that."""
        if hasattr(os, "posix_fadvise"):
            handle, size = self._file.fileno(), self.row_bytes
            for row in rows:
                os.posix_fadvise(handle, row * size, size, os.POSIX_FADV_WILLNEED)

    def __getitem__(self, number: int) -> np.ndarray:
        """Returns a row, int16 of the shape.

        Raises:
            InputError: The file was truncated after the store was opened.
        """
        row = np.empty(self.shape, np.int16)
        size = os.preadv(self._file.fileno(), [row.data], number * row.nbytes)
        if size < row.nbytes:
            raise InputError(
                "file was truncated while it was read",
                where=self.path,
                expected=f"{(number + 1) * row.nbytes:,} bytes; run again to rebuild the file",
                received=f"{os.fstat(self._file.fileno()).st_size:,}",
            )
        return row


# Arrays have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class Waveforms:
    """Waveforms of clips in the requested order.

    Attributes:
        samples: Rows of a store, or an array: int16 (rows, clip samples), or (rows, clip samples,
            channels) if there are several channels.
        rows: Row of each clip.
        key: Fingerprint that changes with any of the requested files.
    """

    samples: StoredRows | np.ndarray
    rows: np.ndarray
    key: str

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a waveform: (clip samples,), or (clip samples, channels) if several channels."""
        if isinstance(self.samples, StoredRows):
            return self.samples.shape
        return self.samples.shape[1:]

    def gather(self, positions: np.ndarray) -> np.ndarray:
        """Waveforms at these positions: float32, (positions, *shape), full scale = 1.

        Raises:
            InputError: The store was truncated after it was opened.
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
