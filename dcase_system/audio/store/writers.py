"""Writer processes: the same work as a process's threads do, without one Python lock for all."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from dcase_system.audio.store.locks import Presence
from dcase_system.audio.store.shards import Shard
from dcase_system.audio.store.write import Fault, Writer
from dcase_system.errors import InputError
from dcase_system.places import UnreachableError


def write_by_processes(
    writer: Writer, shards: Sequence[Shard], processes: int, on_clips: Callable[[int], None]
) -> list[Fault]:
    """Writes shards by several processes, which share the threads of `writer` out.

    Shards that others write are left out. Whatever ends this process ends them.

    Args:
        writer: what each of them is.
        shards: to be written.
        processes: how many.
        on_clips: called with a number of clips whenever so many more are decoded.

    Returns:
        The faulty clips.

    Raises:
        InputError: a process was ended from outside.
        OSError: a shard cannot be written.
    """
    of_each = replace(writer, threads=max(1, writer.threads // processes))
    faults: list[Fault] = []
    with _started(of_each, shards, processes) as senders:
        while senders:
            for ready in wait(list(senders)):
                assert isinstance(ready, Connection)
                try:
                    message = ready.recv()
                except EOFError:
                    raise _ended(senders[ready], shards[0].store) from None
                if isinstance(message, OSError | UnreachableError):
                    raise message
                if isinstance(message, int):
                    on_clips(message)
                else:
                    faults += message
                    del senders[ready]
    return faults


@contextmanager
def _started(
    writer: Writer, shards: Sequence[Shard], processes: int
) -> Iterator[dict[Connection, BaseProcess]]:
    """Processes at work, by the connections that they report through."""
    context = multiprocessing.get_context("spawn")
    senders: dict[Connection, BaseProcess] = {}
    started: list[BaseProcess] = []
    try:
        for _ in range(processes):
            receiver, sender = context.Pipe(duplex=False)
            process: BaseProcess = context.Process(
                target=_work, args=(writer, shards, sender), daemon=True
            )
            with _without_interrupts():
                process.start()
            sender.close()
            senders[receiver] = process
            started.append(process)
        yield senders
        for ended in started:
            ended.join()
    finally:
        for left in started:
            left.terminate()
        for left in started:
            left.join()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes started meanwhile do not hear Ctrl-C, which goes to all; they are told to end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(writer: Writer, shards: Sequence[Shard], sender: Connection) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what is half written goes
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with Presence(shards[0].store):
        # As long as the parent lives nobody has made other plans; from here on nobody can.
        if not parent.is_alive():
            return
        try:
            sender.send(writer.write(shards, sender.send, wait=False))
        except (OSError, UnreachableError) as error:
            with suppress(OSError):
                sender.send(error)


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _ended(process: BaseProcess, store: Path) -> InputError:
    process.join()
    return InputError(
        "a writer process was ended",
        where=store,
        expected="enough memory, and nobody to end it; the same command goes on",
        received=f"exit status {process.exitcode}",
    )
