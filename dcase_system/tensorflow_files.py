"""What TensorFlow writes by itself: its errors as those of Python, for one line of a command."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf


@contextmanager
def as_os_error(path: str | Path | None) -> Iterator[None]:
    """Raises what TensorFlow says of a file system as an OSError.

    Args:
        path: that is written to, named in the error.
    """
    try:
        yield
    except tf.errors.OpError as error:
        # `{{node}} path; reason`, and lines about what TensorFlow was at.
        reason = error.message.splitlines()[0].rpartition("; ")[2]
        raise OSError(errno.EIO, reason, str(path)) from error
