"""Ctrl-C: answered at once, and obeyed within seconds, whatever the process is in the middle of.

Python raises KeyboardInterrupt where the main thread comes back from native code, and tracing or
optimising a graph in TensorFlow keeps it there for up to half a minute; some of its callbacks
swallow the exception. So a thread hears of the signal, says so, and ends the process if it has not
ended by itself shortly after. That is as safe as any kill: whatever is written is written under a
temporary name first.
"""

import os
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import NoReturn

from dcase_system.core.process_group import is_child

INTERRUPTED = 130  # what a shell reports for a program stopped by Ctrl-C
_PATIENCE_SECONDS = 2.0
_STDERR = 2
_at_work = threading.Event()
_ending = threading.Lock()  # taken by who says the last words, and never given back
_last_words = "error: interrupted"
_watched = False


def watch() -> None:
    """Has a thread hear of Ctrl-C; a process that has not begun to work ends at once.

    Where the signal is ignored, as in a job in the background of a script, it stays so.
    """
    global _watched
    if _watched or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    _watched = True
    # Python's own would end an import with a traceback.
    signal.signal(signal.SIGINT, lambda *_: None)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    # A forked child would speak for its parent.
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
    threading.Thread(target=_heed, args=(reader,), name="interrupts", daemon=True).start()


def begin_work(last_words: str) -> None:
    """From here on Ctrl-C raises KeyboardInterrupt, and a moment is left to put things in order.

    Args:
        last_words: line that the process ends with.
    """
    global _last_words
    _last_words = last_words
    sys.unraisablehook = _unraisable
    if _watched:
        _at_work.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)


def end() -> NoReturn:
    """Ends the process, as one that was interrupted.

    Not by way of the interpreter's own end, which waits for TensorFlow's threads for seconds.
    """
    _ending.acquire()  # who comes second waits for the end
    _say(_last_words)
    os._exit(INTERRUPTED)


def _unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    """Keeps quiet of an interrupt that a finaliser has swallowed: the thread sees to it."""
    if unraisable.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(unraisable)


def _heed(reader: int) -> None:
    _wait_for_interrupt(reader, None)
    # A child's parent says it; and after the last words there is nothing to say.
    if not is_child() and _ending.acquire(blocking=False):
        _say("\nstopping ..." if os.isatty(_STDERR) else "stopping ...")
        _ending.release()
    if _at_work.is_set():
        _wait_for_interrupt(reader, _PATIENCE_SECONDS)
    end()


def _wait_for_interrupt(reader: int, seconds: float | None) -> None:
    """Waits for the signal, or so long."""
    stop = None if seconds is None else time.monotonic() + seconds
    while True:
        left = None if stop is None else max(0.0, stop - time.monotonic())
        if not select.select([reader], [], [], left)[0]:
            return
        if signal.SIGINT in os.read(reader, 64):  # a byte for each signal that Python handles
            return


def _say(text: str) -> None:
    with suppress(OSError):  # nobody may be there to read it
        os.write(_STDERR, f"{text}\n".encode())
