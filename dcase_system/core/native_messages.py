"""Hides what TensorFlow's native code logs on standard error, where no setting turns it off.

The converter and the interpreter write through libraries that heed none of TensorFlow's log levels:
`W0000 00:00:1796064415.114263 16734 helpers.cc:392] Ignored output_format.`
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import RLock
from types import ModuleType
from typing import BinaryIO

from dcase_system.core import interrupts

_STDERR = 2
_MOST_BYTES = 1 << 20  # of what is passed on
# Notices and warnings of Abseil and of TensorFlow Lite; errors and fatal errors are passed on.
_NOTICE = re.compile(
    rb"[IW]\d{4} [\d:. ]+\S+:\d+\] .*"
    rb"|INFO: .*|VERBOSE: .*"
    rb"|WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR"
    rb"|fully_quantize: \d, inference_type: .*"
)
_redirected = RLock()  # there is one standard error for all threads


@contextmanager
def hidden() -> Iterator[None]:
    """Holds standard error back, and passes on everything but notices of native code at its end.

    If the block raises an exception, notices are passed on too. Ctrl-C is answered at once. What
    other threads write meanwhile appears when the block ends, and is lost if native code ends the
    process: so the block should be short, a conversion and not a training.
    """
    with _redirected, tempfile.TemporaryFile() as caught:
        try:
            original = os.dup(_STDERR)
        except OSError:  # closed: there is nothing to hide
            yield
            return
        try:
            with interrupts.saying_to(original):
                yield from _held_back(original, caught)
        finally:
            os.close(original)


def hidden_during(execute: Callable[[], None], _: ModuleType) -> None:
    """Hides what a module logs while it is executed; see `import_hooks.at_import`."""
    with hidden():
        execute()


def _held_back(original: int, caught: BinaryIO) -> Iterator[None]:
    _redirect(caught.fileno())
    everything = False
    try:
        yield
    except Exception:
        everything = True
        raise
    finally:
        _redirect(original)
        caught.seek(0)
        for line in caught.read(_MOST_BYTES).splitlines(keepends=True):
            if everything or not _NOTICE.fullmatch(line.rstrip(b"\r\n")):
                with suppress(OSError):  # its reader may have left
                    os.write(original, line)


def _redirect(target: int) -> None:
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()  # Python's own lines stay in their order
    os.dup2(target, _STDERR)
