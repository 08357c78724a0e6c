"""Locations of clips: local folders, or URLs of any file system that TensorFlow supports.

A `Location` is a `Path` or a `Url`. A `Url` has the methods of a `Path` that readers of corpora
call, and raises the same exceptions for missing files. A URL never becomes a `Path`, which would
turn `gs://bucket` into `gs:/bucket`.
"""

import errno
import platform
import re
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from threading import Thread
from typing import Any

from dcase_system.core.errors import InputError

FIRST_ANSWER_SECONDS = 30.0
"""Timeout for storage that has never answered: TensorFlow's own retries take minutes."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_asked_of: set[str] = set()  # schemes
_answered: set[tuple[str, str]] = set()  # scheme and bucket that have answered this process


class UnreachableError(InputError):
    """Storage does not answer, or answers wrongly; no single file is at fault."""


@dataclass(frozen=True)
class UrlStatus:
    """Size in bytes and modification time, under the names of `Path.stat`."""

    st_size: int
    st_mtime_ns: int
    is_folder: bool


@dataclass(frozen=True)
class Url:
    """A file or folder behind `tf.io.gfile`, such as `gs://bucket/TAU`; made by `as_location`.

    Methods raise FileNotFoundError like those of a Path, UnreachableError if the storage does not
    answer and InputError if it denies access.
    """

    address: str

    def __str__(self) -> str:
        return self.address

    def __truediv__(self, name: str | PurePath) -> "Url":
        return Url(f"{self.address}/{PurePosixPath(name)}")

    @property
    def name(self) -> str:
        return self.address.rpartition("/")[2]

    def resolve(self) -> "Url":
        return self  # an address is always absolute

    def stat(self) -> UrlStatus:
        found = self._asked("stat")
        return UrlStatus(int(found.length), int(found.mtime_nsec), bool(found.is_directory))

    def is_dir(self) -> bool:
        return self._is(folder=True)

    def is_file(self) -> bool:
        return self._is(folder=False)

    def _is(self, *, folder: bool) -> bool:
        try:
            return self.stat().is_folder == folder
        except FileNotFoundError:
            return False

    def read_bytes(self) -> bytes:
        return self._asked("read")

    def read_text(self, encoding: str) -> str:
        # Universal newlines, as for local text files.
        text = self.read_bytes().decode(encoding)
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def folders(self, apart_from: Collection[str]) -> tuple[list[str], list[str]]:
        """Names of the folders directly below, and of all other entries there, sorted.

        Args:
            apart_from: Lower-case suffixes of names that are never folders. Checking costs a
                request per name, and a corpus may have millions.
        """
        folders, others = [], []
        for name in self._asked("listdir"):
            stripped = name.rstrip("/")
            if name != stripped:  # how some storage marks folders
                folders.append(stripped)
            elif PurePosixPath(name).suffix.lower() in apart_from or not (self / name).is_dir():
                others.append(name)
            else:
                folders.append(name)
        return sorted(filter(None, folders)), sorted(filter(None, others))

    def _asked(self, what: str) -> Any:
        # Imported here: it takes seconds, and local clips do not need it.
        import tensorflow as tf

        gfile = tf.io.gfile

        def read(address: str) -> bytes:
            with gfile.GFile(address, "rb") as stream:
                return stream.read()

        _check_scheme(self, gfile.get_registered_schemes)
        call = {"stat": gfile.stat, "listdir": gfile.listdir, "read": read}[what]
        denied = tf.errors.PermissionDeniedError, tf.errors.UnauthenticatedError
        try:
            return _first_in_time(self, call)
        except tf.errors.NotFoundError as error:
            raise FileNotFoundError(errno.ENOENT, "No such file", self.address) from error
        except (*denied, tf.errors.InvalidArgumentError) as error:
            raise InputError(
                "storage refuses the request",
                where=self,
                expected="a file or folder, and credentials that may read it",
                received=error.message,
            ) from error
        except (tf.errors.OpError, RuntimeError) as error:  # plugins raise either
            raise UnreachableError(
                "storage cannot be reached or read", where=self, received=error
            ) from error


Location = Path | Url


def needs_hard_exit() -> bool:
    """Whether this process must exit at once: S3's plugin waits for minutes, then aborts it."""
    return "s3" in _asked_of


def as_location(given: str | Location) -> Location:
    """Converts a path or address to a `Location`.

    Args:
        given: A path, or an address with `://` in it.

    Raises:
        InputError: The address consists of a scheme only.
    """
    if not isinstance(given, str):
        return given
    if not _URL.fullmatch(given):
        return Path(given)
    url = given.rstrip("/")
    if not _URL.fullmatch(url):
        raise InputError("URL names no folder", where=given, expected="one like gs://bucket/TAU")
    return Url(url)


def files_below(
    root: Location, suffixes: Collection[str], *, deep: bool = True
) -> Iterator[PurePath]:
    """Relative paths of all files in a folder with these suffixes, sorted.

    Files and folders whose names begin with a dot are skipped: macOS writes `._clip.wav` beside
    `clip.wav` on other systems' disks and into archives.

    Args:
        root: Folder to search.
        suffixes: Suffixes in lower case.
        deep: Whether to search subfolders, too.
    """
    if isinstance(root, Url):
        yield from sorted(_files_below(root, PurePosixPath(), suffixes, deep))
        return
    for path in sorted(root.rglob("*") if deep else root.glob("*")):
        below = path.relative_to(root)
        if path.suffix.lower() in suffixes and not any(map(is_hidden, below.parts)):
            yield below


def find_list_below(root: Location, name: str, suffixes: Collection[str]) -> Location | None:
    """Finds a file in a folder or else in the first non-hidden subfolder that holds it.

    Args:
        root: Folder to search.
        name: Name of the file.
        suffixes: Lower-case suffixes of other files there, see `Url.folders`.
    """
    if (root / name).is_file():
        return root / name
    if isinstance(root, Url):
        folders, _ = root.folders(suffixes)
        below = [root / at / name for at in folders if not is_hidden(at)]
        return next((path for path in below if path.is_file()), None)
    found = (path for path in root.glob(f"*/{name}") if not is_hidden(path.parent.name))
    return next(iter(sorted(found)), None)


def is_hidden(name: str) -> bool:
    return name.startswith(".")


def _files_below(
    root: Url, folder: PurePosixPath, suffixes: Collection[str], deep: bool
) -> Iterator[PurePosixPath]:
    here = root / folder if folder.parts else root
    folders, others = here.folders(suffixes)
    for name in others:
        if PurePosixPath(name).suffix.lower() in suffixes and not is_hidden(name):
            yield folder / name
    for name in folders:
        if deep and not is_hidden(name):
            yield from _files_below(root, folder / name, suffixes, deep)


def _check_scheme(url: Url, registered: Callable[[], list]) -> None:
    scheme, _ = _parts(url)
    if scheme not in registered():
        try:
            import tensorflow_io  # noqa: F401 (brings s3, az, http and others)
        except ImportError as error:
            raise InputError(
                "storage needs tensorflow-io, which is not installed",
                where=url,
                expected="Python 3.11 or 3.12, for which it is published, or a local folder",
                received=f"Python {platform.python_version()}",
            ) from error
        known = sorted(filter(None, map(str, registered())))
        if scheme not in known:
            raise InputError(
                "unknown kind of storage",
                where=url,
                expected="://, ".join(known) + "://, or a local folder",
                received=f"{scheme}://",
            )


def _first_in_time(url: Url, call: Callable[[str], Any]) -> Any:
    """Makes a call; until a first answer in a thread, which is abandoned after the timeout."""
    storage = _parts(url)
    _asked_of.add(storage[0])
    if storage in _answered:
        return call(url.address)
    answer: Future = Future()

    def ask() -> None:
        try:
            answer.set_result(call(url.address))
        except Exception as error:  # noqa: BLE001 (raised in the waiting thread)
            answer.set_exception(error)

    Thread(target=ask, daemon=True).start()
    if not wait([answer], FIRST_ANSWER_SECONDS).done:
        raise UnreachableError(
            "storage does not answer",
            where=url,
            expected=f"an answer within {FIRST_ANSWER_SECONDS:g} s",
        )
    _answered.add(storage)
    return answer.result()


def _parts(url: Url) -> tuple[str, str]:
    """Splits a URL into scheme and bucket."""
    scheme, _, rest = url.address.partition("://")
    return scheme, rest.partition("/")[0]
