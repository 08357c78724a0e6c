"""Tasks in the order that they need: begun as there is room, begun again if they are lost."""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dcase_system.errors import InputError
from dcase_system.files import try_locked
from dcase_system.interrupts import INTERRUPTED

_LOG = logging.getLogger(__name__)
RETRIES = 3
# How long a lost process may hold the run directory: one that still runs would be disturbed.
_RELEASE_SECONDS = 60.0


@dataclass(frozen=True)
class Task:
    """A command in a process of its own, whose results lie in a run directory and nowhere else.

    Attributes:
        name: for progress lines and the log.
        arguments: of the Python interpreter.
        directory: of the run; begun again in it, the task goes on where it was lost.
        after: names of the tasks that have to be done before.
    """

    name: str
    arguments: tuple[str, ...]
    directory: Path
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ended:
    """A task that is at work no more.

    Attributes:
        task: which one.
        status: what its process ended with; None if it was lost.
        place: the machine that it ran on, if that is another one; of a lost one the reason.
        seconds: that it ran, not those that it waited for room.
    """

    task: Task
    status: int | None
    place: str
    seconds: float = 0.0


class Executor(Protocol):
    """Runs the processes of tasks."""

    def room(self) -> int:
        """How many more tasks may be started now."""

    def start(self, task: Task) -> None:
        """Starts a task, or queues it.

        Raises:
            InputError: nothing can run it.
        """

    def ended(self) -> list[Ended]:
        """Waits a moment for tasks to end; those that have."""

    def stop(self) -> None:
        """Ends everything that is at work, and waits for it."""

    def said(self, task: Task) -> str:
        """The last line of a task's output; empty if the terminal has shown it."""


def run_tasks(tasks: Sequence[Task], executor: Executor, retries: int = RETRIES) -> None:
    """Runs tasks to their end, each after those that it needs.

    A task whose process or machine was lost is begun again; one that fails is not, and stops all.

    Args:
        tasks: in the order they are begun in where nothing else decides.
        executor: what runs them.
        retries: how often one task may be lost.

    Raises:
        InputError: a task failed, or was lost too often.
        KeyboardInterrupt: as does the task that was stopped by Ctrl-C.
    """
    waiting = list(tasks)
    at_work, done, lost = set[str](), set[str](), Counter[str]()
    try:
        while waiting or at_work:
            for task in _ready(waiting, done)[: max(0, executor.room())]:
                if lost[task.name]:
                    _wait_until_free(task.directory)
                executor.start(task)
                waiting.remove(task)
                at_work.add(task.name)
            for end in executor.ended():
                name = end.task.name
                at_work.remove(name)
                if end.status == 0:
                    done.add(name)
                    place = f" on {end.place}" if end.place else ""
                    counted = f"{len(done)}/{len(tasks)}"
                    _LOG.info("%s %s: %.0f s%s", counted, name, end.seconds, place)
                    continue
                if end.status is not None:
                    raise _failed(end, executor)
                lost[name] += 1
                if lost[name] > retries:
                    raise InputError(
                        f"task was lost {lost[name]} times ({end.place})", where=end.task.name
                    )
                _LOG.info("%s was lost (%s); it is begun again", name, end.place)
                waiting.insert(0, end.task)
    except BaseException:
        executor.stop()
        raise


def _ready(waiting: Iterable[Task], done: set[str]) -> list[Task]:
    return [task for task in waiting if done.issuperset(task.after)]


def _wait_until_free(directory: Path) -> None:
    """Waits until a lost process has let go of its run directory, but not for ever."""
    if not (directory / "lock").exists():
        return  # it did not come so far, and a folder that is made here would hold no run
    end = time.monotonic() + _RELEASE_SECONDS
    while time.monotonic() < end:
        with try_locked(directory / "lock") as free:
            if free:
                return
        time.sleep(0.2)


def _failed(end: Ended, executor: Executor) -> BaseException:
    if end.status == INTERRUPTED:
        return KeyboardInterrupt()
    said = executor.said(end.task).removeprefix("error: ")
    return InputError(
        f"recipe failed: {said}" if said else "recipe failed; its message stands above",
        where=" ".join(end.task.arguments),
        received=f"exit status {end.status}",
    )
