"""Tasks: commands in separate processes, each run after its dependencies."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from dcase_system.core.errors import InputError
from dcase_system.core.interrupts import INTERRUPTED

RETRIES = 3
"""How often a task is run again after its process or machine was lost."""
# How long to wait for a lost process to release the run directory: it may still be running.
_RELEASE_SECONDS = 60.0


@dataclass(frozen=True)
class Task:
    """A command in its own process that writes its results to a run directory only.

    Attributes:
        name: Name in progress lines and of the log.
        arguments: Arguments of the Python interpreter.
        directory: Run directory; run again in it, a lost task resumes.
        after: Names of the tasks it depends on; they precede it in the list.
    """

    name: str
    arguments: tuple[str, ...]
    directory: Path
    after: tuple[str, ...] = ()


class Executor(Protocol):
    """Runs the processes of tasks."""

    def run(self, tasks: Sequence[Task]) -> None:
        """Runs tasks to completion, each after its dependencies.

        A task whose process or machine was lost is run again. A task that fails is not: it stops
        all tasks.

        Args:
            tasks: Tasks in the order in which to start them, dependencies permitting.

        Raises:
            InputError: A task failed, was lost too often, or cannot be run.
            KeyboardInterrupt: A task was stopped by Ctrl-C.
        """


def wait_until_free(directory: Path) -> None:
    """Waits, up to a limit, until a lost process has released its run directory."""
    if (directory / "lock").exists():  # do not create a run directory that no run began
        try:
            with FileLock(directory / "lock", timeout=_RELEASE_SECONDS):
                pass
        except Timeout:
            return  # the command itself reports that another run is active there


def lost(task: Task, times: int, reason: str) -> InputError:
    """Returns the error of a task that was lost too often."""
    return InputError(f"task was lost {times} times ({reason})", where=task.name)


def failed(task: Task, status: int, last_output: str) -> BaseException:
    """Returns the error of a task that failed.

    Args:
        task: Task that failed.
        status: Its exit status, not 0.
        last_output: Last line of its output; empty if the terminal has shown it.
    """
    if status == INTERRUPTED:
        return KeyboardInterrupt()
    last_output = last_output.removeprefix("error: ")
    return InputError(
        f"recipe failed: {last_output}" if last_output else "recipe failed; see its message above",
        where=" ".join(task.arguments),
        received=f"exit status {status}",
    )


def log_of(logs: Path, task: Task) -> Path:
    """Path of a task's log file."""
    return logs / f"{task.name}.txt"


def last_line(log: Path) -> str:
    """Last line of a task's output, without overwritten progress bars."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""
