"""The workers of a data-parallel training: GPUs of one machine, or machines of one cluster.

A process calls `start` once; after that `team` returns its team anywhere. The chief writes files.
The other workers take part in training, wait while the chief works alone, and read its files, so
all workers need the same run directory on a shared disk.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from dcase_system.core.errors import Dismissed, InputError
from dcase_system.core.files import fingerprint
from dcase_system.core.identity import identity
from dcase_system.parallel.rendezvous import come_together

Distribution = Literal["one_device", "mirrored", "multi_worker"]
_CLUSTER = "TF_CONFIG"
_EXPECTED = 'JSON as {"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", ...}}'
# Errors of collective operations when another process has ended, was replaced or was aborted.
_OF_A_LOSS = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
)


@dataclass(frozen=True)
class Team:
    """The devices and processes that train together.

    Attributes:
        strategy: Distribution strategy of TensorFlow; its default for one device.
        index: Index of this worker; 0 is the chief.
        workers: Number of processes.
    """

    strategy: tf.distribute.Strategy
    index: int = 0
    workers: int = 1

    @property
    def is_chief(self) -> bool:
        return self.index == 0

    @property
    def devices(self) -> int:
        """Number of devices of all workers together."""
        return self.strategy.num_replicas_in_sync

    def broadcast_checked(self, value: bool, same: str, what: str) -> bool:
        """Broadcasts the chief's value after checking that all workers are in the same state.

        Args:
            value: Value of this worker.
            same: Text that must be the same on all workers.
            what: What the text describes, for the error.

        Raises:
            InputError: The text differs between workers, or a worker was lost.
        """
        if self.workers == 1:
            return value
        own = int(fingerprint(same)[:14], 16)
        digests, values = self._gathered([own, int(value)]).T
        if (digests != digests[0]).any():
            raise InputError(
                f"workers have different {what}",
                where=f"worker {self.index}",
                expected="the same on each: " + ", ".join(f"{one:014x}" for one in digests),
                received=f"{own:014x}",
            )
        return bool(values[0])

    def barrier(self) -> None:
        """Barrier: waits for all workers.

        Raises:
            InputError: A worker was lost.
        """
        if self.workers > 1:
            self._gathered([0])

    def scope(self) -> AbstractContextManager:
        """Scope in which to create the variables of a training."""
        return nullcontext() if self.devices == 1 else self.strategy.scope()

    @contextmanager
    def translate_worker_errors(self) -> Iterator[None]:
        """Translates TensorFlow's errors after the loss of another worker into an InputError."""
        try:
            yield
        except _OF_A_LOSS as error:
            if self.workers == 1:
                raise
            raise InputError(
                f"a worker was lost ({type(error).__name__})",
                where=f"worker {self.index} of {self.workers}",
                expected="all of them; run again to resume from the checkpoint",
            ) from error

    def _gathered(self, values: list[int]) -> np.ndarray:
        """Gathers an array (replicas, values) from all workers."""
        with self.translate_worker_errors():
            return _gathering(self.strategy)(tf.constant([values], tf.int64)).numpy()


@cache
def _gathering(strategy: tf.distribute.Strategy) -> Callable:
    """Returns a function that gathers (replicas, values) from each replica's (1, values)."""

    def gathered(row):
        return tf.distribute.get_replica_context().all_gather(tf.identity(row), axis=0)

    @tf.function(reduce_retracing=True, autograph=False)
    def on_all(row):
        found = strategy.run(gathered, args=(row,))
        return strategy.experimental_local_results(found)[0]

    return on_all


_team: Team | None = None


def team() -> Team:
    """Returns this process's team; one device unless `start` was called."""
    return _team or Team(tf.distribute.get_strategy())


def dismiss_others() -> None:
    """Ends all workers but the chief, which continues alone on one device.

    Raises:
        Dismissed: This worker is not the chief.
    """
    global _team
    if not team().is_chief:
        raise Dismissed("training is done; the chief continues alone")
    _team = None


def start(
    distribution: Distribution, wait_seconds: int = 600, devices: Sequence[str] | None = None
) -> None:
    """Makes this process part of a team; call it before any other use of TensorFlow.

    Args:
        distribution: `one_device`; `mirrored`, on all GPUs of this machine; `multi_worker`, on
            those of all machines that the environment's TF_CONFIG lists, each of which runs the
            same command.
        wait_seconds: How long to wait for the other machines, in seconds.
        devices: Devices of this machine to use instead of all its GPUs.

    Raises:
        InputError: TF_CONFIG is missing or invalid, a machine does not connect or has other code,
            versions or flags, or there are fewer than two GPUs to mirror on.
    """
    global _team
    if distribution == "mirrored":
        found = devices or [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
        if len(found) < 2:
            raise InputError(
                "nothing to mirror on", where="this machine", expected="2 GPUs", received=len(found)
            )
        _team = Team(tf.distribute.MirroredStrategy(list(found)))
    elif distribution == "multi_worker":
        addresses, index = _cluster(os.environ.get(_CLUSTER))
        alike = identity() | {"flags": " ".join(sys.argv[1:])}
        come_together(addresses, index, alike, wait_seconds)
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        # TensorFlow treats SIGTERM as a preemption warning, and the worker would not end.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _team = Team(strategy, index, len(addresses))


def _cluster(text: str | None) -> tuple[list[str], int]:
    """Parses TF_CONFIG into the addresses of the workers and the index of this one.

    Raises:
        InputError: The text does not describe a cluster of workers.
    """
    if text is None:
        raise InputError("variable is not set", where=_CLUSTER, expected=_EXPECTED)
    try:
        value: dict[str, Any] = json.loads(text)
        jobs, task = value["cluster"], value["task"]
        addresses, index = jobs["worker"], task["index"]
        if list(jobs) != ["worker"] or task["type"] != "worker":
            raise ValueError("only workers are allowed")
        if not isinstance(addresses, list) or len(set(addresses)) != len(addresses):
            raise ValueError("an address is listed twice")
        for address in addresses:
            host, port = address.rsplit(":", 1)
            if not host or not 0 < int(port) < 65_536:
                raise ValueError(f"{address!r} is not HOST:PORT")
        if not isinstance(index, int) or not 0 <= index < len(addresses):
            raise ValueError(f"there is no worker {index!r} of {len(addresses)}")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"not a cluster ({error})", where=_CLUSTER, expected=_EXPECTED, received=text[:200]
        ) from error
    return addresses, index
