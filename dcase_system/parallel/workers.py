"""The workers of a data-parallel training: GPUs of one machine, or machines of one cluster.

A process says once, at its beginning, what it is a part of (`start`); `team` is asked by what needs
to know. The chief writes; the others take part in its trainings, wait for what it does alone, and
read what it has written, so all need the same run directory on a disk they share.
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
# What collective operations end with when another process has gone, was replaced or was aborted.
_OF_A_LOSS = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
)


@dataclass(frozen=True)
class Team:
    """What this process trains together with.

    Attributes:
        strategy: of TensorFlow; its own default for one device.
        index: of this worker; 0 is the chief.
        workers: processes.
    """

    strategy: tf.distribute.Strategy
    index: int = 0
    workers: int = 1

    @property
    def is_chief(self) -> bool:
        return self.index == 0

    @property
    def devices(self) -> int:
        """Of all workers together."""
        return self.strategy.num_replicas_in_sync

    def from_chief(self, value: bool, same: str, what: str) -> bool:
        """The chief's value, when all workers have come here with the same of something.

        Args:
            value: of this worker.
            same: what must not differ.
            what: it is, for the error.

        Raises:
            InputError: it differs, or a worker was lost.
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

    def meet(self) -> None:
        """Waits for all workers.

        Raises:
            InputError: a worker was lost.
        """
        if self.workers > 1:
            self._gathered([0])

    def scope(self) -> AbstractContextManager:
        """Where the variables of a training are made."""
        return nullcontext() if self.devices == 1 else self.strategy.scope()

    @contextmanager
    def losses_told(self) -> Iterator[None]:
        """Makes one line of what TensorFlow raises when another worker is gone."""
        try:
            yield
        except _OF_A_LOSS as error:
            if self.workers == 1:
                raise
            raise InputError(
                f"a worker was lost ({type(error).__name__})",
                where=f"worker {self.index} of {self.workers}",
                expected="all of them; started again, the training goes on from its checkpoint",
            ) from error

    def _gathered(self, values: list[int]) -> np.ndarray:
        """(replicas, values) of all workers."""
        with self.losses_told():
            return _gathering(self.strategy)(tf.constant([values], tf.int64)).numpy()


@cache
def _gathering(strategy: tf.distribute.Strategy) -> Callable:
    """What makes (replicas, values) of each replica's (1, values)."""

    def gathered(row):
        return tf.distribute.get_replica_context().all_gather(tf.identity(row), axis=0)

    @tf.function(reduce_retracing=True, autograph=False)
    def on_all(row):
        found = strategy.run(gathered, args=(row,))
        return strategy.experimental_local_results(found)[0]

    return on_all


_team: Team | None = None


def team() -> Team:
    """What this process trains together with; one device if it was never started otherwise."""
    return _team or Team(tf.distribute.get_strategy())


def dismiss_others() -> None:
    """Ends all workers but the chief, which goes on alone and on one device.

    Raises:
        Dismissed: this is another one.
    """
    global _team
    if not team().is_chief:
        raise Dismissed("the trainings are done; the chief goes on alone")
    _team = None


def start(
    distribution: Distribution, wait_seconds: int = 600, devices: Sequence[str] | None = None
) -> None:
    """Makes this process one of a team; before anything else is done with TensorFlow.

    Args:
        distribution: `one_device`; `mirrored`, on all GPUs of this machine; `multi_worker`, on
            those of all machines that the environment's TF_CONFIG lists, each of which runs the
            same command.
        wait_seconds: for the other machines.
        devices: of this machine, in the place of all its GPUs.

    Raises:
        InputError: TF_CONFIG is not there or wrong, a machine does not come or has other code,
            versions or flags, or there are not two GPUs to mirror on.
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
        # TensorFlow takes it for a warning, and a worker that is told to end would not.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _team = Team(strategy, index, len(addresses))


def _cluster(text: str | None) -> tuple[list[str], int]:
    """Addresses of the workers, and which of them is this one.

    Raises:
        InputError: the text is no cluster of workers.
    """
    if text is None:
        raise InputError("variable is not set", where=_CLUSTER, expected=_EXPECTED)
    try:
        value: dict[str, Any] = json.loads(text)
        jobs, task = value["cluster"], value["task"]
        addresses, index = jobs["worker"], task["index"]
        if list(jobs) != ["worker"] or task["type"] != "worker":
            raise ValueError("there must be workers and nothing else")
        if not isinstance(addresses, list) or len(set(addresses)) != len(addresses):
            raise ValueError("an address is there twice")
        for address in addresses:
            host, port = address.rsplit(":", 1)
            if not host or not 0 < int(port) < 65_536:
                raise ValueError(f"{address!r} is no HOST:PORT")
        if not isinstance(index, int) or not 0 <= index < len(addresses):
            raise ValueError(f"there is no worker {index!r} of {len(addresses)}")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"not a cluster ({error})", where=_CLUSTER, expected=_EXPECTED, received=text[:200]
        ) from error
    return addresses, index
