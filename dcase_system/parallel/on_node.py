"""What a node of a cluster does for a task; Ray brings it there with the rest of this package."""

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
    """The command of a task ended with a status, the argument."""


class Lost(Exception):
    """The command of a task was killed; Ray begins it again."""


@dataclass(frozen=True)
class Order:
    """What does not differ between the tasks of a run.

    Attributes:
        folder: to run the commands in.
        variables: of the environment; those that are None are taken out of it.
        begun: file that every node sees; its first line is `word`, then come the names of tasks,
            each as often as it was begun.
        word: by which a node knows the file.
        versions: of what decides the bytes of a training.
    """

    folder: str
    variables: Mapping[str, str | None]
    begun: Path
    word: str
    versions: Mapping[str, str]


def run(order: Order, task: Task, log: Path, *_: object) -> tuple[str, float]:
    """Runs the command of a task; the address of this node and the seconds it took.

    Args:
        order: of the run.
        task: which one.
        log: where its output goes.
        *_: results of the tasks that it needs, which Ray waits for.

    Raises:
        ValueError: this node does not see the folder of the run, or has other versions.
        Failed: the command failed.
        Lost: it was killed.
    """
    import ray

    place = ray.util.get_node_ip_address()
    _check(order, place)
    with order.begun.open("a") as stream:
        stream.write(f"{task.name}\n")  # one write, so that no other node's is torn
    wait_until_free(task.directory)
    began = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            # Without the folder before all else: its code may be another.
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
        raise ValueError(f"node {place} does not see the folder of the run, {order.begun.parent}")
    if different := differences(order.versions, versions()):
        raise ValueError(f"node {place} has other versions: {different}")


def _environment(order: Order) -> dict[str, str]:
    """This process's, with the code that Ray has brought, then that of the folder."""
    here = str(Path(__file__).parents[2])
    found = {
        **os.environ,
        **order.variables,
        "PYTHONPATH": os.pathsep.join((here, order.folder)),
        "DCASE_PARENT": str(os.getpid()),
    }
    return {name: value for name, value in found.items() if value is not None}
