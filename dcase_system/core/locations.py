"""Locations of clips: local folders, or URLs of any file system that TensorFlow supports.

A `Location` is a `Path` or a `Url`. A `Url` has the methods of a `Path` that readers of corpora
call, and raises the same exceptions for missing files. A URL never becomes a `Path`, which would
turn `gs://bucket` into `gs:/bucket`.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from dcase_system.core.errors import InputError
from dcase_system.core.storage import ask_storage

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)


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
        found = ask_storage(self.address, "stat")
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
        return ask_storage(self.address, "read")

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
        for name in ask_storage(self.address, "listdir"):
            stripped = name.rstrip("/")
            if name != stripped:  # how some storage marks folders
                folders.append(stripped)
            elif PurePosixPath(name).suffix.lower() in apart_from or not (self / name).is_dir():
                others.append(name)
            else:
                folders.append(name)
        return sorted(filter(None, folders)), sorted(filter(None, others))


Location = Path | Url


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
