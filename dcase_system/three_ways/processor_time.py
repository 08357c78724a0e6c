"""Processor time of the stages of a run, over all its interruptions."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dcase_system.core.files import read_json, write_json
from dcase_system.runs import stages

FILE = "processor_seconds.json"


@dataclass(frozen=True)
class ProcessorTime:
    """Adds up this process's processor seconds, of all threads, by stage, in a file of the run.

    The seconds of a process that was killed at once, without a signal it can heed, are lost.

    Attributes:
        run_dir: Run directory.
    """

    run_dir: Path

    @contextmanager
    def of(self, folder: Path) -> Iterator[None]:
        """Counts the block for a stage, unless the stage was done before."""
        before, started = stages.read_stage(folder), time.process_time()
        try:
            yield
        finally:
            if not before or stages.read_stage(folder) != before:
                name = str(folder.relative_to(self.run_dir))
                known = self.seconds()
                known[name] = known.get(name, 0.0) + time.process_time() - started
                write_json(self.run_dir / FILE, known)

    def seconds(self) -> dict[str, float]:
        """Returns the seconds of each stage so far, by its folder."""
        path = self.run_dir / FILE
        return read_json(path) if path.exists() else {}
