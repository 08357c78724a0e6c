"""The wanted rows of a store, and which of them are done."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np

from dcase_system.audio.store.index import INDEX_FILE, rows_of

ROWS_FILE, MARKS_FILE = "waveforms.int16", "done.u4"

_MARK_BYTES = 4


class WantedRows:
    """The rows of some clips, which several processes may write at the same time.

    Methods take positions of clips. A finished row has the CRC-32 of its line as its mark. A
    process claims rows before it writes them, so that no other process does the same work. Claims
    are locks on the bytes of a file, one per row, released with the process. They only save work:
    writing a row twice writes the same bytes.

    Attributes:
        lines: Lines of the clips in the index.
        numbers: Row numbers of the clips (clips,).
        path: File of all rows.
    """

    def __init__(self, store: Path, lines: Sequence[bytes], row_bytes: int):
        """Adds missing lines to the index; the caller holds the store's lock.

        Args:
            store: Folder of the store.
            lines: Distinct lines of the clips.
            row_bytes: Bytes of a row.
        """
        self.lines = lines
        self.numbers = rows_of(store / INDEX_FILE, lines)
        self.path = store / ROWS_FILE
        self._row_bytes = row_bytes
        # Never 0, the value of a hole in the file.
        self._wanted_marks = np.array([crc32(line) or 1 for line in lines], "<u4")
        self._rows, self._marks, self._claims = (
            os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            for path in (self.path, store / MARKS_FILE, store / "claims")
        )
        # If rows were truncated, their marks would wrongly apply to the hole that a later row
        # leaves before itself. Marks are counted first: others may write rows, and then marks.
        marks = os.fstat(self._marks).st_size // _MARK_BYTES
        rows = os.fstat(self._rows).st_size // row_bytes
        if marks > rows:
            os.ftruncate(self._marks, rows * _MARK_BYTES)

    def close(self) -> None:
        for handle in (self._rows, self._marks, self._claims):
            os.close(handle)

    def left(self, clips: np.ndarray) -> np.ndarray:
        """Returns the clips whose rows are not done, in the order of their rows."""
        clips = clips[np.argsort(self.numbers[clips])]
        if not len(clips):
            return clips
        rows, stop = self._extent(clips)
        content = os.pread(self._marks, rows * _MARK_BYTES, (stop - rows) * _MARK_BYTES)
        marks = np.frombuffer(content.ljust(rows * _MARK_BYTES, b"\0"), "<u4")
        return clips[marks[self.numbers[clips] - (stop - rows)] != self._wanted_marks[clips]]

    def claim(self, clips: np.ndarray) -> bool:
        """Claims the rows of these clips, given in row order, and all between; False if taken."""
        rows, stop = self._extent(clips)
        try:
            fcntl.lockf(self._claims, fcntl.LOCK_EX | fcntl.LOCK_NB, rows, stop - rows)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def release(self, clips: np.ndarray) -> None:
        rows, stop = self._extent(clips)
        fcntl.lockf(self._claims, fcntl.LOCK_UN, rows, stop - rows)

    def write(self, values: dict[int, np.ndarray]) -> None:
        """Writes rows to the disk, then their marks.

        Args:
            values: int16 rows by clip.

        Raises:
            OSError: The disk is full or cannot be written.
        """
        numbers = {clip: int(self.numbers[clip]) for clip in values}
        try:
            for clip, row in values.items():
                _write(self._rows, row.tobytes(), numbers[clip] * self._row_bytes)
            os.fsync(self._rows)
            for clip in values:
                mark = self._wanted_marks[clip].tobytes()
                _write(self._marks, mark, numbers[clip] * _MARK_BYTES)
            os.fsync(self._marks)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error

    def _extent(self, clips: np.ndarray) -> tuple[int, int]:
        """Number of rows from the first to the last, and the row number after the last."""
        first, last = self.numbers[clips[[0, -1]]].tolist()
        return last + 1 - first, last + 1


def _write(handle: int, content: bytes, at: int) -> None:
    left = memoryview(content)
    while left:
        written = os.pwrite(handle, left, at)
        left, at = left[written:], at + written
