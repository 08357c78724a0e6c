"""Runs one task on a cluster node; Ray ships this module with the rest of the package."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dcase_system.core.identity import differences, versions
from dcase_system.parallel.tasks import Task, wait_until_free


class Failed(Exception):
    """The command of a task failed; the argument is its exit status."""


class Lost(Exception):
    """The command of a task was killed; Ray runs it again."""


@dataclass(frozen=True)
class Order:
    """Settings that all tasks of a run share.

    Attributes:
        folder: Working directory of the commands.
        variables: Environment variables; those that are None are removed.
        begun: File that every node can read. Its first line is `word`; after that, one line with
            the task's name for each start of a task.
        word: Random text by which a node recognises the file.
        versions: Versions of the packages that determine training results.
    """

    folder: str
    variables: Mapping[str, str | None]
    begun: Path
    word: str
    versions: Mapping[str, str]


def run(order: Order, task: Task, log: Path, *_: object) -> tuple[str, float]:
    """Runs the command of a task.

    Args:
        order: Settings of the run.
        task: Task to run.
        log: File for its output.
        *_: Results of the tasks that it depends on, which Ray waits for.

    Returns:
        The address of this node and the duration in seconds.

    Raises:
        ValueError: This node cannot read the run's folder, or has other versions.
        Failed: The command failed.
        Lost: The command was killed.
    """
    import ray

    place = ray.util.get_node_ip_address()
    _check(order, place)
    with order.begun.open("a") as stream:
        stream.write(f"{task.name}\n")  # a single write: lines of other nodes cannot interleave
    wait_until_free(task.directory)
    began = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            # -P keeps the working directory off the path: its code may differ.
            [sys.executable, "-P", *task.arguments],
            cwd=order.folder,
            env=_environment(order),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            status = process.wait()
        finally:  # cancelled
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
    if status < 0:
        raise Lost(f"signal {-status} on {place}")
    if status > 0:
        raise Failed(status)
    return place, time.monotonic() - began


def _check(order: Order, place: str) -> None:
    try:
        seen = order.begun.read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError):
        seen = ""
    if seen != order.word:
        raise ValueError(f"node {place} cannot read the run's folder, {order.begun.parent}")
    if different := differences(order.versions, versions()):
        raise ValueError(f"node {place} has other versions: {different}")


def _environment(order: Order) -> dict[str, str]:
    """This process's environment, with Ray's copy of the code ahead of the folder on the path."""
    here = str(Path(__file__).parents[2])
    found = {
        **os.environ,
        **order.variables,
        "PYTHONPATH": os.pathsep.join((here, order.folder)),
        "DCASE_PARENT": str(os.getpid()),
    }
    return {name: value for name, value in found.items() if value is not None}
