"""What TensorFlow reads and writes by itself: plain paths for it, and its errors as Python's."""

import errno
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

_PATTERN = re.compile(r"[*?\[\]\\]")


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


@contextmanager
def plain_path(folder: str | Path) -> Iterator[Path]:
    """Another path to a folder, if TensorFlow would take its own for a pattern of file names.

    It does so wherever it writes or reads the variables of a SavedModel: a path with `*`, `?`, a
    bracket or a backslash in it matches no file. The other path is a link in a temporary folder, so
    that nothing is copied and TensorFlow writes where it is told to.

    Args:
        folder: that exists.
    """
    if not _is_pattern(folder):
        yield Path(folder)
        return
    root = "/tmp" if _is_pattern(tempfile.gettempdir()) else None
    with tempfile.TemporaryDirectory(dir=root) as temporary:
        link = Path(temporary) / "folder"
        link.symlink_to(Path(folder).resolve(), target_is_directory=True)
        yield link


def _is_pattern(path: str | Path) -> bool:
    return _PATTERN.search(str(path)) is not None
