"""Decodes clips into rows, with threads or processes."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from dcase_system.audio.store.index import clip_of, status_of
from dcase_system.audio.store.store_format import StoreFormat, decode_clip
from dcase_system.core.errors import InputError
from dcase_system.core.locations import Location
from dcase_system.core.processors import usable_cores
from dcase_system.core.storage import UnreachableError

Decoded = np.ndarray | InputError
_CLIPS_A_CALL = 4  # clips that a process takes at once


@dataclass(frozen=True)
class Decoder:
    """Decodes the row of a line in the index.

    Attributes:
        root: Folder of the corpus.
        store_format: Format of the store.
    """

    root: Location
    store_format: StoreFormat

    def __call__(self, line: bytes) -> Decoded:
        """Returns an int16 row in the store's format, or the error of a faulty clip.

        Raises:
            UnreachableError: The storage of the clips does not answer.
        """
        name, listed = clip_of(line)
        path = self.root / name
        try:
            _check_unchanged(path, listed)
            return decode_clip(path, self.store_format)
        except UnreachableError:
            raise  # every other clip would fail too, each after a timeout
        except InputError as error:
            return error


@contextmanager
def decoders(processes: int) -> Iterator[Executor]:
    """Yields a pool of processes that end with this one; for 1, a pool of one thread per core."""
    pool: Executor
    if processes == 1:
        pool = ThreadPoolExecutor(usable_cores())
    else:
        spawned = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(processes, spawned, _end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def start(pool: Executor, decoder: Decoder, lines: Sequence[bytes]) -> Iterator[Decoded]:
    """Starts decoding lines; the results come in the order of the lines."""
    # Ctrl-C reaches all processes. Children started here ignore it: the parent ends them.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.map(decoder, lines, chunksize=_CLIPS_A_CALL)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _check_unchanged(path: Location, listed: str) -> None:
    """Refuses a file that changed after it was listed: its row would pass for the old file."""
    try:
        status = status_of(path)
    except OSError as error:
        raise InputError(f"audio file cannot be read ({error.strerror})", where=path) from error
    if status != listed:
        raise InputError(
            "clip has changed while the store was made",
            where=path,
            expected=f"size and time {listed!r}",
            received=repr(status),
        )
