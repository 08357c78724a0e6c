"""Locks between the processes at work on a store; they go with a process, however it ends.

They are not filelock's: a plan is its own lock, which must not be made where it is gone, and
`Presence` is a shared lock.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def claimed(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Tries to hold an exclusive lock on a file; yields whether it is held.

    Args:
        path: a file; where there is none, there is nothing to hold.
        wait: whether to wait for the process that holds it.
    """
    try:
        handle = os.open(path, os.O_RDWR)  # network disks lock for writing what is open for it
    except FileNotFoundError:
        yield False
        return
    try:
        yield _flocked(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)


class Presence:
    """That a process is at work on a store: none but who is alone there may take plans away.

    To be used as a context; `alone` and `wait_for_others` while the store's own lock is held, and
    while it is not.
    """

    def __init__(self, store: Path):
        self._path = store / "at_work"

    def __enter__(self) -> "Presence":
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        _flocked(self._handle, fcntl.LOCK_SH)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)

    def alone(self) -> bool:
        """Whether no other process is at work; who comes later waits at the store's lock."""
        alone = _flocked(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _flocked(self._handle, fcntl.LOCK_SH)  # a conversion that fails has lost the lock
        return alone

    def wait_for_others(self) -> None:
        """Until all others have ended."""
        _flocked(self._handle, fcntl.LOCK_EX)
        _flocked(self._handle, fcntl.LOCK_SH)


def _flocked(handle: int, how: int) -> bool:
    """Takes a lock on an open file; whether it could, where `how` says not to wait."""
    try:
        fcntl.flock(handle, how)
    except OSError as error:
        if not how & fcntl.LOCK_NB or error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return False
    return True
