"""The log of a training: a JSON line for each row, and the same rows as curves for TensorBoard."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

import tensorflow as tf

from dcase_system.core.files import write_text
from dcase_system.core.tensorflow_files import as_os_error
from dcase_system.parallel.workers import team

TENSORBOARD = "tensorboard"
"""Folder of a run with the curves of its trainings, one folder each."""


class TrainingLog:
    """Appends rows to a `.jsonl` file and draws them as curves called `<axis>/<value>`.

    The lines are what counts. With its first row a training drops the lines that it is about to
    repeat, and draws the curves anew from those that stay: so neither has a row twice, whatever
    moment the last process was killed at. A row is written when `add` returns.

    Args:
        path: a `.jsonl` file.
        curves: folder of this log's event files, which are removed with those of an earlier
            training; None draws no curves.
        axis: the value of a row that grows from row to row, an integer.
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
            OSError: it cannot be written.
        """
        if not team().is_chief:
            return  # who has the same rows
        if not self._begun:
            self._begin(row[self._axis])
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
        self._draw([row])

    def close(self) -> None:
        """Closes the event file; the next row would begin the log anew."""
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
    """The lines of a log, if there is one, without one that was torn by a kill or a full disk."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [line for line in lines if line.endswith("\n")]
