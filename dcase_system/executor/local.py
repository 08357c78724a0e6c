"""Tasks as processes of this machine, one after another or several at once."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from dcase_system.executor.tasks import Ended, Task
from dcase_system.parent import ending_with_me

_POLL_SECONDS, _STOP_SECONDS = 0.1, 10.0


class Local:
    """Processes that end with this one. Alone, a task writes to the terminal; else to a file."""

    def __init__(self, logs: Path, at_once: int = 1):
        """Starts nothing yet.

        Args:
            logs: folder of a file for each task, if there are several at once.
            at_once: tasks.
        """
        self._logs, self._at_once = logs, at_once
        self._running: dict[Task, subprocess.Popen] = {}
        self._begun: dict[Task, float] = {}

    def room(self) -> int:
        return self._at_once - len(self._running)

    def start(self, task: Task) -> None:
        with ExitStack() as stack:
            output = None
            if self._at_once > 1:
                log = log_of(self._logs, task)
                log.parent.mkdir(parents=True, exist_ok=True)
                output = stack.enter_context(log.open("ab"))
            self._begun[task] = time.monotonic()
            self._running[task] = subprocess.Popen(
                [sys.executable, *task.arguments],
                env=ending_with_me(),
                stdout=output,
                stderr=output,
            )

    def ended(self) -> list[Ended]:
        found = []
        for task, process in list(self._running.items()):
            status = process.poll()
            if status is not None:
                del self._running[task]
                killed = f"signal {-status}" if status < 0 else ""
                seconds = time.monotonic() - self._begun[task]
                found.append(Ended(task, None if killed else status, killed, seconds))
        if not found:
            time.sleep(_POLL_SECONDS)
        return found

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        end = time.monotonic() + _STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def said(self, task: Task) -> str:
        return last_line(log_of(self._logs, task)) if self._at_once > 1 else ""


def log_of(logs: Path, task: Task) -> Path:
    """Where the output of a task goes."""
    return logs / f"{task.name}.txt"


def last_line(log: Path) -> str:
    """The last line of a task's output, without what progress bars have overwritten."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""
