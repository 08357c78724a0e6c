"""Ctrl-C: acknowledged at once and obeyed within seconds, whatever the process is doing.

Python raises KeyboardInterrupt only when the main thread returns from native code. Tracing or
optimising a graph in TensorFlow can take half a minute, and some of its callbacks swallow the
exception. So a thread receives the signal, prints a line, and ends the process if it does not end
by itself soon after. That is as safe as any kill: files are written under a temporary name first.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from dcase_system.core.process_group import is_child

INTERRUPTED = 130  # what a shell reports for a program stopped by Ctrl-C
_PATIENCE_SECONDS = 2.0
_STDERR = 2
_IMPORTS = "<frozen importlib._bootstrap>"  # file of the frames of an import
_at_work = threading.Event()
_ending = threading.Lock()  # held by the thread that prints the last line, and never released
_last_words = "error: interrupted"
_watched = False
_spoken_to = _STDERR  # file descriptor


@contextmanager
def saying_to(descriptor: int) -> Iterator[None]:
    """Says what there is to say to another file while standard error is redirected."""
    global _spoken_to
    before, _spoken_to = _spoken_to, descriptor
    try:
        yield
    finally:
        _spoken_to = before


def watch() -> None:
    """Starts a thread that receives Ctrl-C; before `begin_work` the process ends at once.

    If the signal is ignored, as in a background job of a script, it stays ignored.
    """
    global _watched
    if _watched or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    _watched = True
    # Python's default handler would end an import with a traceback.
    signal.signal(signal.SIGINT, lambda *_: None)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    # A forked child must not answer for its parent.
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
    threading.Thread(target=_heed, args=(reader,), name="interrupts", daemon=True).start()


def begin_work(last_words: str) -> None:
    """From now on Ctrl-C raises KeyboardInterrupt and leaves a moment to clean up.

    Args:
        last_words: Last line that the process prints.
    """
    global _last_words
    _last_words = last_words
    sys.unraisablehook = _unraisable
    if _watched:
        _at_work.set()
        signal.signal(signal.SIGINT, _raise_interrupt)


def _raise_interrupt(signum: int, frame: FrameType | None) -> None:
    """Raises KeyboardInterrupt, except during an import, which the thread ends.

    An exception inside the initialiser of a native library aborts the process.
    """
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTS:
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def end() -> NoReturn:
    """Ends the process with the exit status of an interrupt.

    Skips the interpreter's shutdown, which waits seconds for TensorFlow's threads.
    """
    _ending.acquire()  # a second thread waits here for the exit
    _say(_last_words)
    os._exit(INTERRUPTED)


def _unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    """Suppresses the report of an interrupt swallowed by a finaliser; the thread handles it."""
    if unraisable.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(unraisable)


def _heed(reader: int) -> None:
    _wait_for_interrupt(reader, None)
    # The parent of a child prints this; nothing is printed after the last line.
    if not is_child() and _ending.acquire(blocking=False):
        _say("\nstopping ..." if os.isatty(_spoken_to) else "stopping ...")
        _ending.release()
    if _at_work.is_set():
        _wait_for_interrupt(reader, _PATIENCE_SECONDS)
    end()


def _wait_for_interrupt(reader: int, seconds: float | None) -> None:
    """Waits for the signal, at most this long; None waits forever."""
    stop = None if seconds is None else time.monotonic() + seconds
    while True:
        left = None if stop is None else max(0.0, stop - time.monotonic())
        if not select.select([reader], [], [], left)[0]:
            return
        if signal.SIGINT in os.read(reader, 64):  # a byte for each signal that Python handles
            return


def _say(text: str) -> None:
    with suppress(OSError):  # stderr may be closed
        os.write(_spoken_to, f"{text}\n".encode())
