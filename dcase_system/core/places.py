"""Where clips lie: a local folder, or a URL of whatever file system TensorFlow knows.

A `Place` is a `Path` or a `Url`, which has those of its methods that readers of corpora call, with
the same exceptions for files that are not there. A URL never goes through `Path`, which would make
`gs:/bucket` of `gs://bucket`.
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
"""How long storage that has never answered is waited for: TensorFlow's own retries take minutes."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_asked_of: set[str] = set()  # schemes
_answered: set[tuple[str, str]] = set()  # scheme and bucket of storage that has, in this process


class UnreachableError(InputError):
    """Storage does not answer, or not as it should: the fault of no single file."""


@dataclass(frozen=True)
class UrlStatus:
    """Size in bytes and modification time, under the names that `Path.stat` gives them."""

    st_size: int
    st_mtime_ns: int
    is_folder: bool


@dataclass(frozen=True)
class Url:
    """A file or folder behind `tf.io.gfile`, such as `gs://bucket/TAU`; made by `place`.

    Methods raise FileNotFoundError like those of a Path, UnreachableError where the storage does
    not answer and InputError where it refuses.
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
        return self  # an address is whole

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
        # Lines end as where a local file is opened as text.
        text = self.read_bytes().decode(encoding)
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def folders(self, apart_from: Collection[str]) -> tuple[list[str], list[str]]:
        """Names of the folders directly below, and of everything else there, sorted.

        Args:
            apart_from: suffixes in lower case of what is no folder. To ask costs a request for each
                name, and a corpus may have millions.
        """
        folders, others = [], []
        for name in self._asked("listdir"):
            stripped = name.rstrip("/")
            if name != stripped:  # how some storage says it
                folders.append(stripped)
            elif PurePosixPath(name).suffix.lower() in apart_from or not (self / name).is_dir():
                others.append(name)
            else:
                folders.append(name)
        return sorted(filter(None, folders)), sorted(filter(None, others))

    def _asked(self, what: str) -> Any:
        # Seconds to import, which local clips do not need.
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
                "storage refuses to read it",
                where=self,
                expected="a file or folder, and credentials that may read it",
                received=error.message,
            ) from error
        except (tf.errors.OpError, RuntimeError) as error:  # plugins raise either
            raise UnreachableError(
                "storage cannot be reached or read", where=self, received=error
            ) from error


Place = Path | Url


def ends_badly() -> bool:
    """Whether this process must leave at once: S3's plugin waits for minutes and aborts it."""
    return "s3" in _asked_of


def place(given: str | Place) -> Place:
    """The place that a flag or a caller names.

    Args:
        given: a path, or an address with `://` in it.

    Raises:
        InputError: the address has a scheme and nothing else.
    """
    if not isinstance(given, str):
        return given
    if not _URL.fullmatch(given):
        return Path(given)
    url = given.rstrip("/")
    if not _URL.fullmatch(url):
        raise InputError("URL names no folder", where=given, expected="one like gs://bucket/TAU")
    return Url(url)


def files_below(root: Place, suffixes: Collection[str], *, deep: bool = True) -> Iterator[PurePath]:
    """Paths below a folder of all files in it with these suffixes, sorted.

    Names that begin with a dot are left out, as are folders with such names: macOS writes
    `._clip.wav` beside `clip.wav` on other systems' disks and into archives.

    Args:
        root: the folder.
        suffixes: in lower case.
        deep: whether folders in it are searched, too.
    """
    if isinstance(root, Url):
        yield from sorted(_files_below(root, PurePosixPath(), suffixes, deep))
        return
    for path in sorted(root.rglob("*") if deep else root.glob("*")):
        below = path.relative_to(root)
        if path.suffix.lower() in suffixes and not any(map(_is_hidden, below.parts)):
            yield below


def find_list_below(root: Place, name: str, suffixes: Collection[str]) -> Place | None:
    """The file of this name in a folder or, first in order, one level down in no hidden folder.

    Args:
        root: the folder.
        name: of the file.
        suffixes: of other files there, in lower case, see `Url.folders`.
    """
    if (root / name).is_file():
        return root / name
    if isinstance(root, Url):
        folders, _ = root.folders(suffixes)
        below = [root / at / name for at in folders if not _is_hidden(at)]
        return next((path for path in below if path.is_file()), None)
    found = (path for path in root.glob(f"*/{name}") if not _is_hidden(path.parent.name))
    return next(iter(sorted(found)), None)


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _files_below(
    root: Url, folder: PurePosixPath, suffixes: Collection[str], deep: bool
) -> Iterator[PurePosixPath]:
    here = root / folder if folder.parts else root
    folders, others = here.folders(suffixes)
    for name in others:
        if PurePosixPath(name).suffix.lower() in suffixes and not _is_hidden(name):
            yield folder / name
    for name in folders:
        if deep and not _is_hidden(name):
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
                "no such kind of storage",
                where=url,
                expected="://, ".join(known) + "://, or a local folder",
                received=f"{scheme}://",
            )


def _first_in_time(url: Url, call: Callable[[str], Any]) -> Any:
    """Calls it; in a thread that is left alone if the storage never answers."""
    storage = _parts(url)
    _asked_of.add(storage[0])
    if storage in _answered:
        return call(url.address)
    answer: Future = Future()

    def ask() -> None:
        try:
            answer.set_result(call(url.address))
        except Exception as error:  # noqa: BLE001 (raised where it is waited for)
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
    """Scheme and bucket."""
    scheme, _, rest = url.address.partition("://")
    return scheme, rest.partition("/")[0]
