"""Ends a child process with its parent, however the parent ends."""

import ctypes
import os
import signal
import sys

_VARIABLE = "DCASE_PARENT"
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_is_child = _VARIABLE in os.environ


def ending_with_me() -> dict[str, str]:
    """Environment of a child that must end with this process."""
    return {**os.environ, _VARIABLE: str(os.getpid())}


def is_child() -> bool:
    """Whether a command of this package started this process."""
    return _is_child


def end_with_parent() -> None:
    """Asks the kernel to kill this process with its parent, if the parent requested it.

    A killed parent cannot stop its children, and a child that keeps running would lock its run
    directory against the next run. Only Linux supports this; elsewhere the child keeps running.
    """
    parent = os.environ.pop(_VARIABLE, None)  # not meant for this process's own children
    if parent is None or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if str(os.getppid()) != parent:  # the parent had already ended
        os._exit(1)
