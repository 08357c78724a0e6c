"""Functions for files that TensorFlow itself reads or writes: plain paths, errors as OSError."""

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
    """Converts TensorFlow's file-system errors to OSError.

    Args:
        path: Path that is written to, named in the error.
    """
    try:
        yield
    except tf.errors.OpError as error:
        # The message is `{{node}} path; reason`, then lines about the operation.
        reason = error.message.splitlines()[0].rpartition("; ")[2]
        raise OSError(errno.EIO, reason, str(path)) from error


@contextmanager
def plain_path(folder: str | Path) -> Iterator[Path]:
    """Yields another path to a folder whose own path TensorFlow would read as a file pattern.

    TensorFlow does so when it writes or reads the variables of a SavedModel: a path with `*`, `?`,
    a bracket or a backslash matches no file. The other path is a link in a temporary folder, so
    that nothing is copied and TensorFlow writes to the original.

    Args:
        folder: Existing folder.
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
