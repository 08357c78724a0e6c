"""Tasks on a Ray cluster whose nodes share folders and have the same versions.

Ray is optional (`requirements-cluster.txt`) and imported only when requested. It ships this
machine's code to the nodes, starts each task when its dependencies are done, and runs it again if
its node dies.
"""

import contextlib
import logging
import os
import re
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcase_system.core.errors import InputError
from dcase_system.core.files import write_text
from dcase_system.core.identity import PACKAGES, ROOT, versions
from dcase_system.parallel.on_node import Failed, Lost, Order, run
from dcase_system.parallel.tasks import RETRIES, Task, failed, last_line, log_of, lost

_LOG = logging.getLogger(__name__)
_WAIT_SECONDS, _STOP_SECONDS = 0.5, 20.0
_ADDRESS = re.compile(r"auto|.+:\d{1,5}")
_QUIET: dict[str, Any] = {"logging_level": "critical", "log_to_driver": False}
# By default Ray tries to reach the head for a minute, then kills the calling process.
_ASK = {"RAY_gcs_rpc_server_reconnect_timeout_s": "4", "RAY_gcs_rpc_server_connect_timeout_s": "2"}


@dataclass(frozen=True)
class Resources:
    """Resources that a task occupies on a node.

    Attributes:
        cpus: Number of cores.
        gpus: Number of accelerators; a task sees only those assigned to it.
    """

    cpus: float = 1.0
    gpus: float = 0.0


@contextlib.contextmanager
def cluster(address: str, resources: Resources, folder: Path) -> Iterator["OnRay"]:
    """Connects to the Ray cluster that this machine belongs to.

    Args:
        address: `HOST:PORT` of its head, or `auto` for the cluster that runs here.
        resources: Resources of each task.
        folder: Folder that every node sees under the same path; logs go there.

    Raises:
        InputError: Ray is not installed, no cluster answers at the address, or no node has the
            resources of a task.
    """
    ray = _ray()
    _check_address(address)
    # When a node dies, Ray prints pages of its log in the middle of our own lines.
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            ray.init(address=address, configure_logging=False, runtime_env=_code(), **_QUIET)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise _unreachable(address, str(error)) from error
        try:
            yield OnRay(ray, resources, folder.resolve())
        finally:
            ray.shutdown()


class OnRay:
    """Runs tasks as processes on cluster nodes; Ray queues them until a node has free resources."""

    def __init__(self, ray: Any, resources: Resources, folder: Path):
        self._ray, self._resources, self._folder = ray, resources, folder

    def run(self, tasks: Sequence[Task]) -> None:
        """See `Executor.run`; also fails if a node cannot read the folder or has other versions."""
        self._check_resources()
        begun, word = self._folder / f"begun-{secrets.token_hex(4)}", secrets.token_hex()
        write_text(begun, f"{word}\n")
        here = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS")}
        order = Order(str(Path.cwd()), here, begun, word, versions())
        references: dict[str, Any] = {}
        try:
            for task in tasks:
                references[task.name] = self._queued(order, task, references)
            self._wait_for(tasks, references, begun)
        finally:
            for reference in references.values():
                self._ray.cancel(reference)
            left = list(references.values())
            self._ray.wait(left, num_returns=len(left), timeout=_STOP_SECONDS)
            begun.unlink()

    def _queued(self, order: Order, task: Task, references: dict[str, Any]) -> Any:
        log = log_of(self._folder / "logs", task)
        log.parent.mkdir(parents=True, exist_ok=True)
        remote = self._ray.remote(
            num_cpus=self._resources.cpus,
            num_gpus=self._resources.gpus,
            max_retries=RETRIES,
            retry_exceptions=[Lost],
            scheduling_strategy="SPREAD",
        )(run)
        needed = [references[name] for name in task.after]
        return remote.options(name=task.name).remote(order, task, log, *needed)

    def _wait_for(self, tasks: Sequence[Task], references: dict[str, Any], begun: Path) -> None:
        waiting = {references[task.name]: task for task in tasks}
        known = Counter[str]()
        while waiting:
            ready, _ = self._ray.wait(list(waiting), num_returns=1, timeout=_WAIT_SECONDS)
            times = Counter(begun.read_text(encoding="utf-8").splitlines()[1:])
            for name in times - known:
                if known[name]:
                    _LOG.info("%s was lost; running it again", name)
            known = times
            for reference in ready:
                task = waiting.pop(reference)
                place, seconds = self._result(task, reference)
                counted = f"{len(tasks) - len(waiting)}/{len(tasks)}"
                _LOG.info("%s %s: %.0f s on %s", counted, task.name, seconds, place)
            if waiting:
                self._check_resources()  # Ray would wait forever for lost nodes

    def _result(self, task: Task, reference: Any) -> tuple[str, float]:
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, Failed):
                last_output = last_line(log_of(self._folder / "logs", task))
                raise failed(task, cause.args[0], last_output) from None
            if isinstance(cause, Lost):
                raise lost(task, RETRIES + 1, str(cause)) from None
            reason = (str(cause).strip().splitlines() or ["no reason given"])[-1]
            raise InputError(f"task cannot be run ({reason})", where=task.name) from None
        except errors.RayError as error:
            raise lost(task, RETRIES + 1, type(error).__name__) from None

    def _check_resources(self) -> None:
        resources = self._resources
        found = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        sizes = [(given.get("CPU", 0), given.get("GPU", 0)) for given in found]
        if not any(cpus >= resources.cpus and gpus >= resources.gpus for cpus, gpus in sizes):
            raise InputError(
                "no node has the resources of a task",
                where="--task_cpus, --task_gpus",
                expected=f"one with {resources.cpus:g} cores and {resources.gpus:g} accelerators",
                received=", ".join(f"{cpus:g} and {gpus:g}" for cpus, gpus in sizes),
            )


def _ray() -> Any:
    # Silences notices at every start: about accelerators, and about excluded folders.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES", "")
    try:
        import ray
    except ImportError as error:
        raise InputError(
            f"Ray is not installed ({error})",
            where="--executor",
            expected="pip install -r requirements-cluster.txt",
        ) from error
    return ray


def _code() -> dict[str, Any]:
    """Ray runtime environment that ships the packages to the nodes."""
    others = [f"/{path.name}" for path in ROOT.iterdir() if path.name not in PACKAGES]
    return {"working_dir": str(ROOT), "excludes": [*others, "__pycache__"]}


def _check_address(address: str) -> None:
    """Refuses an address at which no cluster answers.

    Asks in a separate process, because Ray kills the process if the head cannot be reached.
    """
    if not _ADDRESS.fullmatch(address):
        raise InputError(
            "not the address of a cluster",
            where="--ray_address",
            expected="HOST:PORT of its head, or auto",
            received=address,
        )
    command = [sys.executable, "-m", "ray.scripts.scripts", "status", f"--address={address}"]
    done = subprocess.run(command, env={**os.environ, **_ASK}, capture_output=True, text=True)
    if done.returncode != 0:
        reason = "none runs on this machine" if address == "auto" else "its head cannot be reached"
        raise _unreachable(address, reason)


def _unreachable(address: str, reason: str) -> InputError:
    return InputError(
        f"no Ray cluster answers ({reason})",
        where=address,
        expected="a node of it on this machine: `ray start --head`, or `ray start --address=...`",
    )
