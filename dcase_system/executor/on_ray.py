"""Tasks on a Ray cluster: nodes that see the same folders and have the same code.

Ray is optional (`requirements-cluster.txt`): it is imported when it is asked for, not before. It
carries commands and exit statuses alone; what is sent to a node needs nothing of this package.
"""

import json
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcase_system.errors import InputError
from dcase_system.executor.local import last_line, log_of
from dcase_system.executor.on_node import ask, run
from dcase_system.executor.tasks import Ended, Task
from dcase_system.files import write_text
from dcase_system.identity import differences, identity

_CONNECT_SECONDS, _NODE_SECONDS, _STOP_SECONDS = 10.0, 120.0, 20.0
_WAIT_SECONDS = 0.5
_QUIET: dict[str, Any] = {"logging_level": "critical", "log_to_driver": False}
# How a client of gRPC begins, and the kind of frame that its server begins with (RFC 9113, 3.4).
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_SETTINGS = b"\x04"


@dataclass(frozen=True)
class Needs:
    """What a task takes of a node.

    Attributes:
        cpus: cores.
        gpus: accelerators; a task sees those that it was given.
    """

    cpus: float = 1.0
    gpus: float = 0.0


@contextmanager
def cluster(address: str, needs: Needs, folder: Path) -> Iterator["OnRay"]:
    """The nodes of a Ray cluster, which this machine belongs to.

    Args:
        address: `HOST:PORT` of its head, or `auto` for the cluster that runs here.
        needs: of each task.
        folder: that every node sees under the same path; logs go there.

    Raises:
        InputError: Ray is not installed, nothing answers at the address, a node does not see the
            folder or has other code, or none has what a task needs.
    """
    ray = _ray()
    address = _resolved(ray, address)
    try:
        ray.init(address=address, configure_logging=False, **_QUIET)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise _unreachable(address, str(error)) from error
    try:
        _check_nodes(ray, _check_resources(ray, needs), folder)
        yield OnRay(ray, needs, folder / "logs")
    finally:
        ray.shutdown()


class OnRay:
    """Processes on the nodes of a cluster; Ray queues them until a node has room."""

    def __init__(self, ray: Any, needs: Needs, logs: Path):
        self._ray, self._needs, self._logs = ray, needs, logs
        self._running: dict[Any, Task] = {}

    def room(self) -> int:
        return sys.maxsize

    def start(self, task: Task) -> None:
        _check_resources(self._ray, self._needs)  # Ray would wait for ever for what was lost
        log = log_of(self._logs.resolve(), task)
        log.parent.mkdir(parents=True, exist_ok=True)
        options = {"num_cpus": self._needs.cpus, "num_gpus": self._needs.gpus, "max_retries": 0}
        remote = self._ray.remote(**options, name=task.name, scheduling_strategy="SPREAD")(run)
        here = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS")}
        reference = remote.remote(task.arguments, str(Path.cwd()), here, str(log), identity())
        self._running[reference] = task

    def ended(self) -> list[Ended]:
        ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_WAIT_SECONDS)
        return [self._ended(reference) for reference in ready]

    def _ended(self, reference: Any) -> Ended:
        task = self._running.pop(reference)
        errors = self._ray.exceptions
        try:
            status, place, seconds = self._ray.get(reference)
        except errors.RayTaskError as error:  # not of the command: it could not even be begun
            raise InputError(f"node cannot run it ({_last(str(error))})", where=task.name) from None
        except errors.RayError as error:
            return Ended(task, None, type(error).__name__)
        if status < 0:
            return Ended(task, None, f"signal {-status} on {place}")
        return Ended(task, status, place, seconds)

    def stop(self) -> None:
        for reference in self._running:
            self._ray.cancel(reference)
        if self._running:
            left = list(self._running)
            self._ray.wait(left, num_returns=len(left), timeout=_STOP_SECONDS)
        self._running.clear()

    def said(self, task: Task) -> str:
        return last_line(log_of(self._logs, task))


def _ray() -> Any:
    # An old notice about accelerators, on every start.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise InputError(
            f"Ray is not installed ({error})",
            where="--executor",
            expected="pip install -r requirements-cluster.txt",
        ) from error
    # Has no switch: pages of a node's log where it is lost, in the middle of our own lines.
    ray._private.worker.print_to_stdstream = lambda *_, **__: None
    # Sent as they stand: a node without this package is refused by name, not by an import error.
    ray.cloudpickle.register_pickle_by_value(sys.modules[run.__module__])
    return ray


def _resolved(ray: Any, address: str) -> str:
    """The address of a head that answers: Ray itself asks for two minutes, and loudly."""
    if address == "auto":
        try:
            address = ray._private.services.canonicalize_bootstrap_address("auto") or ""
        except ConnectionError:
            address = ""
        if not address:
            raise _unreachable("auto", "none runs on this machine")
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise InputError(
            "no address of a cluster",
            where="--ray_address",
            expected="HOST:PORT of its head, or auto",
            received=address,
        )
    try:
        with socket.create_connection((host, int(port)), _CONNECT_SECONDS) as connection:
            connection.sendall(_GREETING)
            answer = connection.recv(9)
    except (OSError, OverflowError) as error:
        raise _unreachable(address, str(error)) from error
    if answer[3:4] != _SETTINGS and "RAY_USE_TLS" not in os.environ:
        raise _unreachable(address, "something else listens there")
    return address


def _unreachable(address: str, reason: str) -> InputError:
    return InputError(
        f"no Ray cluster answers ({reason})",
        where=address,
        expected="a node of it on this machine: `ray start --head`, or `ray start --address=...`",
    )


def _check_resources(ray: Any, needs: Needs) -> list[dict[str, Any]]:
    """The nodes of the cluster, if one is large enough."""
    nodes = [node for node in ray.nodes() if node["Alive"]]
    sizes = [(n["Resources"].get("CPU", 0), n["Resources"].get("GPU", 0)) for n in nodes]
    if not any(cpus >= needs.cpus and gpus >= needs.gpus for cpus, gpus in sizes):
        raise InputError(
            "no node has what a task needs",
            where="--task_cpus, --task_gpus",
            expected=f"one with {needs.cpus:g} cores and {needs.gpus:g} accelerators",
            received=", ".join(f"{cpus:g} and {gpus:g}" for cpus, gpus in sizes),
        )
    return nodes


def _check_nodes(ray: Any, nodes: list[dict[str, Any]], folder: Path) -> None:
    """Asks each node whether it sees the folder, and what code it has."""
    word, token = secrets.token_hex(), folder.resolve() / f"token-{secrets.token_hex(4)}"
    write_text(token, f"{word}\n")
    here = identity()
    try:
        asked = [
            (node["NodeManagerAddress"], _asking(ray, node["NodeID"], str(token))) for node in nodes
        ]
        for address, reference in asked:
            where = f"node {address}"
            try:
                answer = json.loads(ray.get(reference, timeout=_NODE_SECONDS))
            except (ray.exceptions.RayError, ValueError) as error:
                raise InputError(
                    f"cannot run this package ({_last(str(error))})",
                    where=where,
                    expected=f"the package, importable in {Path.cwd()}",
                ) from None
            if answer["token"] != word:
                raise InputError(
                    "does not see the folder of the run", where=where, expected=folder.resolve()
                )
            if different := differences(here, answer["identity"]):
                raise InputError(
                    "has other code or versions", where=where, expected=here, received=different
                )
    finally:
        token.unlink()


def _asking(ray: Any, node: str, token: str) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    strategy = NodeAffinitySchedulingStrategy(node, soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=strategy)(ask).remote(str(Path.cwd()), token)


def _last(text: str) -> str:
    """The last line of a traceback: what it is about."""
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "no reason given"
