"""Tasks: commands in processes of their own, each after those that it needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from dcase_system.core.errors import InputError
from dcase_system.core.interrupts import INTERRUPTED

RETRIES = 3
"""How often a task may be lost with its process or its machine."""
# How long a lost process may hold the run directory: one that still runs would be disturbed.
_RELEASE_SECONDS = 60.0


@dataclass(frozen=True)
class Task:
    """A command in a process of its own, whose results lie in a run directory and nowhere else.

    Attributes:
        name: for progress lines and the log.
        arguments: of the Python interpreter.
        directory: of the run; begun again in it, the task goes on where it was lost.
        after: names of the tasks that have to be done before; they stand before it.
    """

    name: str
    arguments: tuple[str, ...]
    directory: Path
    after: tuple[str, ...] = ()


class Executor(Protocol):
    """Runs the processes of tasks."""

    def run(self, tasks: Sequence[Task]) -> None:
        """Runs tasks to their end, each after those that it needs.

        A task whose process or machine was lost is begun again; one that fails is not, and stops
        all.

        Args:
            tasks: in the order they are begun in where nothing else decides.

        Raises:
            InputError: a task failed, was lost too often, or nothing can run it.
            KeyboardInterrupt: as does the task that was stopped by Ctrl-C.
        """


def wait_until_free(directory: Path) -> None:
    """Waits until a lost process has let go of its run directory, but not for ever."""
    if (directory / "lock").exists():  # a folder that is made here would hold no run
        try:
            with FileLock(directory / "lock", timeout=_RELEASE_SECONDS):
                pass
        except Timeout:
            return  # the command itself says that another one is at work there


def lost(task: Task, times: int, reason: str) -> InputError:
    """The error of a task that was lost too often."""
    return InputError(f"task was lost {times} times ({reason})", where=task.name)


def failed(task: Task, status: int, said: str) -> BaseException:
    """The error of a task that ended with a status.

    Args:
        task: which one.
        status: other than 0.
        said: last line of its output; empty if the terminal has shown it.
    """
    if status == INTERRUPTED:
        return KeyboardInterrupt()
    said = said.removeprefix("error: ")
    return InputError(
        f"recipe failed: {said}" if said else "recipe failed; its message stands above",
        where=" ".join(task.arguments),
        received=f"exit status {status}",
    )


def log_of(logs: Path, task: Task) -> Path:
    """Where the output of a task goes."""
    return logs / f"{task.name}.txt"


def last_line(log: Path) -> str:
    """The last line of a task's output, without what progress bars have overwritten."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""
