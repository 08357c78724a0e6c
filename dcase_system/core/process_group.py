"""A process that ends when the one that has started it is no more, however that ended."""

import ctypes
import os
import signal
import sys

_VARIABLE = "DCASE_PARENT"
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_is_child = _VARIABLE in os.environ


def ending_with_me() -> dict[str, str]:
    """The environment of a child that is to end with this process."""
    return {**os.environ, _VARIABLE: str(os.getpid())}


def is_child() -> bool:
    """Whether a command of this package has started this process."""
    return _is_child


def end_with_parent() -> None:
    """Has the kernel kill this process with its parent, if that one asked for it.

    A killed parent cannot stop its children, and a run that goes on alone would hold its directory
    against the next one. Linux alone knows how; elsewhere it does go on.
    """
    parent = os.environ.pop(_VARIABLE, None)  # not meant for what this process starts in turn
    if parent is None or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if str(os.getppid()) != parent:  # it was faster
        os._exit(1)
