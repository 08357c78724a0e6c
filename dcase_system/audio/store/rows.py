"""The rows of a store that are wanted, and which of them are done."""

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
    """The rows of some clips, which several processes write at a time.

    Methods take positions of clips. A row that is done has the CRC-32 of its line as its mark. Who
    writes rows claims them, so that no other process does the same work. Claims are locks on the
    bytes of a file, one for each row, which go with the process. They only save work: to write a
    row twice is to write the same bytes.

    Attributes:
        lines: of the clips in the index.
        numbers: (clips,) of their rows.
        path: of the file of all rows.
    """

    def __init__(self, store: Path, lines: Sequence[bytes], row_bytes: int):
        """Adds the lines to the index where they are not in it; the caller holds the store's lock.

        Args:
            store: folder of the store.
            lines: of the clips, all different.
            row_bytes: of a row.
        """
        self.lines = lines
        self.numbers = rows_of(store / INDEX_FILE, lines)
        self.path = store / ROWS_FILE
        self._row_bytes = row_bytes
        # Not 0, as a hole in the file is read.
        self._wanted_marks = np.array([crc32(line) or 1 for line in lines], "<u4")
        self._rows, self._marks, self._claims = (
            os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            for path in (self.path, store / MARKS_FILE, store / "claims")
        )
        # Marks of rows that were cut off would be true again of the hole that a later row leaves
        # before itself. They are counted first: others may be writing rows, and then marks.
        marks = os.fstat(self._marks).st_size // _MARK_BYTES
        rows = os.fstat(self._rows).st_size // row_bytes
        if marks > rows:
            os.ftruncate(self._marks, rows * _MARK_BYTES)

    def close(self) -> None:
        for handle in (self._rows, self._marks, self._claims):
            os.close(handle)

    def left(self, clips: np.ndarray) -> np.ndarray:
        """Those of the clips whose rows are not done, in the order of their rows."""
        clips = clips[np.argsort(self.numbers[clips])]
        if not len(clips):
            return clips
        rows, stop = self._extent(clips)
        content = os.pread(self._marks, rows * _MARK_BYTES, (stop - rows) * _MARK_BYTES)
        marks = np.frombuffer(content.ljust(rows * _MARK_BYTES, b"\0"), "<u4")
        return clips[marks[self.numbers[clips] - (stop - rows)] != self._wanted_marks[clips]]

    def claim(self, clips: np.ndarray) -> bool:
        """Whether nobody else writes the rows of these clips, in their order, or any between."""
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
            values: int16 rows by their clips.

        Raises:
            OSError: the disk is full, or refuses.
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
        """How many rows there are from the first to the last one, and the number behind it."""
        first, last = self.numbers[clips[[0, -1]]].tolist()
        return last + 1 - first, last + 1


def _write(handle: int, content: bytes, at: int) -> None:
    left = memoryview(content)
    while left:
        written = os.pwrite(handle, left, at)
        left, at = left[written:], at + written
