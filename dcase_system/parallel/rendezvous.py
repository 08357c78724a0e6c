"""Start of a multi-machine training: workers connect to the chief, which checks that they match.

TensorFlow's own start-up waits forever for a missing machine, cannot be interrupted meanwhile, and
does not compare what the machines run.
"""

import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import NoReturn, TextIO

from dcase_system.core.errors import InputError
from dcase_system.core.identity import differences

_PAUSE_SECONDS = 0.2
_ANSWER_SECONDS = 2.0
_LONGEST_LINE = 65_536
_SAME = "the same code and command on each machine, each with its own index"


def come_together(
    addresses: Sequence[str], index: int, alike: Mapping[str, str], wait_seconds: float
) -> None:
    """Waits until all workers have connected to the first address and been found to match.

    Args:
        addresses: HOST:PORT of each worker. Only the first, the chief's, is used; its port is free
            again on return.
        index: Index of this worker.
        alike: Values that must be the same on all workers, by name.
        wait_seconds: How long to wait for the others, in seconds.

    Raises:
        InputError: A worker does not connect in time, connects twice or does not match.
    """
    deadline = time.monotonic() + wait_seconds
    if index == 0:
        _wait_for_others(addresses, alike, deadline)
    else:
        _go_to_chief(addresses[0], index, alike, deadline)


def _wait_for_others(addresses: Sequence[str], alike: Mapping[str, str], deadline: float) -> None:
    _, port = _split(addresses[0])
    missing, streams = set(range(1, len(addresses))), list[TextIO]()
    with ExitStack() as open_ones:
        try:
            server = open_ones.enter_context(socket.create_server(("", port)))
        except OSError as error:
            what = f"cannot listen ({os.strerror(error.errno or 0)})"
            raise _refusal(what, addresses[0], "a free port") from error
        while missing:
            server.settimeout(_left(deadline, addresses, missing))
            try:
                connection = open_ones.enter_context(server.accept()[0])
                connection.settimeout(_ANSWER_SECONDS)
                stream = open_ones.enter_context(connection.makefile("rw", encoding="utf-8"))
                arrived = json.loads(stream.readline(_LONGEST_LINE))
                worker, its = int(arrived["worker"]), dict(arrived["alike"])
            except (OSError, ValueError, LookupError, TypeError):
                continue  # timeout, port scanner, or dropped connection
            streams.append(stream)
            different = differences(alike, its)
            if worker not in missing:
                _refuse_all(streams, f"worker {worker} connected twice or is unknown", addresses)
            if different:
                _refuse_all(streams, f"worker {worker} has {different}", addresses)
            missing.discard(worker)
        _tell(streams, "")


def _refuse_all(streams: Sequence[TextIO], reason: str, addresses: Sequence[str]) -> NoReturn:
    _tell(streams, reason)
    raise _refusal(reason, addresses[0], _SAME)


def _tell(streams: Sequence[TextIO], reason: str) -> None:
    for stream in streams:
        try:
            stream.write(json.dumps(reason) + "\n")
            stream.flush()
        except OSError:
            pass  # the worker is gone; TensorFlow will report it


def _go_to_chief(chief: str, index: int, alike: Mapping[str, str], deadline: float) -> None:
    while True:
        left = _left(deadline, [chief], {0})
        try:
            with (
                socket.create_connection(_split(chief), timeout=left) as connection,
                connection.makefile("rw", encoding="utf-8") as stream,
            ):
                stream.write(json.dumps({"worker": index, "alike": dict(alike)}) + "\n")
                stream.flush()
                # The chief answers once the last worker has connected.
                reason = json.loads(stream.readline(_LONGEST_LINE))
        except (OSError, ValueError):
            time.sleep(_PAUSE_SECONDS)
            continue
        if reason:
            raise _refusal(reason, chief, _SAME)
        return


def _left(deadline: float, addresses: Sequence[str], missing: set[int]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        absent = ", ".join(f"worker {one} ({addresses[one]})" for one in sorted(missing))
        raise _refusal(f"did not connect in time: {absent}", addresses[0], "all workers")
    return left


def _split(address: str) -> tuple[str, int]:
    host, port = address.rsplit(":", 1)
    return host, int(port)


def _refusal(what: str, where: str, expected: str) -> InputError:
    return InputError(f"workers cannot start together: {what}", where=where, expected=expected)
