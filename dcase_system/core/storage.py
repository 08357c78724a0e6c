"""Requests to the file systems behind URLs, with a timeout for the first answer."""

import errno
import platform
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import Any, Literal

from dcase_system.core.errors import InputError

FIRST_ANSWER_SECONDS = 30.0
"""Timeout for storage that has never answered: TensorFlow's own retries take minutes."""

_asked_of: set[str] = set()  # schemes
_answered: set[tuple[str, str]] = set()  # scheme and bucket that have answered this process


class UnreachableError(InputError):
    """Storage does not answer, or answers wrongly; no single file is at fault."""


def ask_storage(address: str, what: Literal["stat", "listdir", "read"]) -> Any:
    """Makes a request to the storage of an address.

    Args:
        address: A URL, such as `gs://bucket/TAU`.
        what: `stat` gives TensorFlow's statistics, `listdir` names, `read` the bytes of a file.

    Raises:
        FileNotFoundError: There is nothing at the address.
        UnreachableError: The storage does not answer, or answers wrongly.
        InputError: The storage refuses the request, or TensorFlow has no file system for it.
    """
    # Imported here: it takes seconds, and local clips do not need it.
    import tensorflow as tf

    gfile = tf.io.gfile

    def read(address: str) -> bytes:
        with gfile.GFile(address, "rb") as stream:
            return stream.read()

    _check_scheme(address, gfile.get_registered_schemes)
    call = {"stat": gfile.stat, "listdir": gfile.listdir, "read": read}[what]
    denied = tf.errors.PermissionDeniedError, tf.errors.UnauthenticatedError
    try:
        return _first_in_time(address, call)
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "No such file", address) from error
    except (*denied, tf.errors.InvalidArgumentError) as error:
        raise InputError(
            "storage refuses the request",
            where=address,
            expected="a file or folder, and credentials that may read it",
            received=error.message,
        ) from error
    except (tf.errors.OpError, RuntimeError) as error:  # plugins raise either
        raise UnreachableError(
            "storage cannot be reached or read", where=address, received=error
        ) from error


def needs_hard_exit() -> bool:
    """Whether this process must exit at once: S3's plugin waits for minutes, then aborts it."""
    return "s3" in _asked_of


def _check_scheme(address: str, registered: Callable[[], list]) -> None:
    scheme, _ = _parts(address)
    if scheme not in registered():
        try:
            import tensorflow_io  # noqa: F401 (brings s3, az, http and others)
        except ImportError as error:
            raise InputError(
                "storage needs tensorflow-io, which is not installed",
                where=address,
                expected="Python 3.11 or 3.12, for which it is published, or a local folder",
                received=f"Python {platform.python_version()}",
            ) from error
        known = sorted(filter(None, map(str, registered())))
        if scheme not in known:
            raise InputError(
                "unknown kind of storage",
                where=address,
                expected="://, ".join(known) + "://, or a local folder",
                received=f"{scheme}://",
            )


def _first_in_time(address: str, call: Callable[[str], Any]) -> Any:
    """Makes a call; until a first answer in a thread, which is abandoned after the timeout."""
    storage = _parts(address)
    _asked_of.add(storage[0])
    if storage in _answered:
        return call(address)
    answer: Future = Future()

    def ask() -> None:
        try:
            answer.set_result(call(address))
        except Exception as error:  # noqa: BLE001 (raised in the waiting thread)
            answer.set_exception(error)

    Thread(target=ask, daemon=True).start()
    if not wait([answer], FIRST_ANSWER_SECONDS).done:
        raise UnreachableError(
            "storage does not answer",
            where=address,
            expected=f"an answer within {FIRST_ANSWER_SECONDS:g} s",
        )
    _answered.add(storage)
    return answer.result()


def _parts(address: str) -> tuple[str, str]:
    """Splits a URL into scheme and bucket."""
    scheme, _, rest = address.partition("://")
    return scheme, rest.partition("/")[0]
