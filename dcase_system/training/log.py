"""The training log: one JSON line per row, and the same rows as TensorBoard curves."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

import tensorflow as tf

from dcase_system.core.files import write_text
from dcase_system.core.tensorflow_files import as_os_error
from dcase_system.parallel.workers import team

TENSORBOARD = "tensorboard"
"""Folder in a run directory that holds the curves of its trainings, one folder each."""


class TrainingLog:
    """Appends rows to a `.jsonl` file and plots them as TensorBoard curves `<axis>/<value>`.

    The lines are authoritative. On its first row a training drops the lines it is about to repeat
    and rewrites the curves from the remaining ones, so neither holds a row twice, whenever the
    previous process was killed. A row is on disk when `add` returns.

    Args:
        path: Path of a `.jsonl` file.
        curves: Folder for this log's event files; those of an earlier training are removed. None
            writes no curves.
        axis: Name of the integer that increases from row to row.
    """

    def __init__(self, path: Path, curves: Path | None = None, axis: str = "epoch"):
        self.path, self.curves, self._axis = path, curves, axis
        self._begun, self._writer = False, None

    def __enter__(self) -> "TrainingLog":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def add(self, row: Mapping[str, float]) -> None:
        """Appends a row.

        Raises:
            OSError: The row cannot be written.
        """
        if not team().is_chief:
            return  # which has the same rows
        if not self._begun:
            self._begin(row[self._axis])
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
        self._draw([row])

    def close(self) -> None:
        """Closes the event file; adding another row would start the log again."""
        if self._writer is not None:
            with as_os_error(self.curves):
                self._writer.close()
        self._begun, self._writer = False, None

    def _begin(self, first: float) -> None:
        kept = [line for line in _whole_lines(self.path) if json.loads(line)[self._axis] < first]
        write_text(self.path, "".join(kept))
        self._begun = True
        if self.curves is not None:
            self.curves.mkdir(parents=True, exist_ok=True)
            for drawn in self.curves.glob("events.out.tfevents.*"):
                drawn.unlink()
            with as_os_error(self.curves):
                self._writer = tf.summary.create_file_writer(str(self.curves))
            self._draw(map(json.loads, kept))

    def _draw(self, rows: Iterable[Mapping[str, float]]) -> None:
        if self._writer is None:
            return
        with as_os_error(self.curves), self._writer.as_default():
            for row in rows:
                for name, value in row.items():
                    if name != self._axis:
                        tf.summary.scalar(f"{self._axis}/{name}", value, step=row[self._axis])
            self._writer.flush()


def _whole_lines(path: Path) -> list[str]:
    """Complete lines of a log, if there is one; drops a line torn by a kill or a full disk."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [line for line in lines if line.endswith("\n")]
