"""Tasks as processes of this machine, one after another or several at once."""

import logging
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from dcase_system.core.process_group import ending_with_me
from dcase_system.parallel.tasks import (
    RETRIES,
    Task,
    failed,
    last_line,
    log_of,
    lost,
    wait_until_free,
)

_LOG = logging.getLogger(__name__)
_POLL_SECONDS, _STOP_SECONDS = 0.1, 10.0


class Local:
    """Runs tasks as processes that end with this one.

    A single task writes to the terminal; concurrent tasks write to log files.
    """

    def __init__(self, logs: Path, at_once: int = 1, retries: int = RETRIES):
        """Starts nothing yet.

        Args:
            logs: Folder for the log file of each task, used if several run at once.
            at_once: Number of tasks that run at the same time.
            retries: How often a task is run again after its process was killed.
        """
        self._logs, self._at_once, self._retries = logs, at_once, retries
        self._running: dict[Task, subprocess.Popen] = {}
        self._begun: dict[Task, float] = {}

    def run(self, tasks: Sequence[Task]) -> None:
        """See `Executor.run`."""
        waiting = list(tasks)
        done, times_lost = set[str](), Counter[Task]()
        try:
            while waiting or self._running:
                ready = [task for task in waiting if done.issuperset(task.after)]
                for task in ready[: self._at_once - len(self._running)]:
                    if times_lost[task]:
                        wait_until_free(task.directory)
                    self._start(task)
                    waiting.remove(task)
                for task, status in self._ended():
                    if status > 0:
                        raise failed(task, status, self._said(task))
                    if status == 0:
                        done.add(task.name)
                        seconds = time.monotonic() - self._begun[task]
                        _LOG.info("%d/%d %s: %.0f s", len(done), len(tasks), task.name, seconds)
                        continue
                    times_lost[task] += 1
                    if times_lost[task] > self._retries:
                        raise lost(task, times_lost[task], f"signal {-status}")
                    _LOG.info("%s was lost (signal %d); running it again", task.name, -status)
                    waiting.insert(0, task)
        finally:
            self._stop()

    def _start(self, task: Task) -> None:
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

    def _ended(self) -> list[tuple[Task, int]]:
        """Returns the tasks that have ended, with their exit statuses; pauses if there are none."""
        found = []
        for task, process in list(self._running.items()):
            status = process.poll()
            if status is not None:
                del self._running[task]
                found.append((task, status))
        if not found:
            time.sleep(_POLL_SECONDS)
        return found

    def _stop(self) -> None:
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

    def _said(self, task: Task) -> str:
        return last_line(log_of(self._logs, task)) if self._at_once > 1 else ""
