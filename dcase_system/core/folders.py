"""Checks of folders that a command was given, local or remote."""

from collections.abc import Collection
from pathlib import Path

from dcase_system.core.errors import InputError
from dcase_system.core.locations import Location, Url, is_hidden


def file_in_the_way(folder: Path) -> Path | None:
    """Returns the file, if any, that has the path of a folder or of one above it."""
    on_the_way = (folder, *folder.parents)
    return next((path for path in on_the_way if path.exists() and not path.is_dir()), None)


def refuse_file(folder: Location) -> None:
    """Refuses a file in place of a folder, whether the folder must exist or will be made.

    Raises:
        InputError: A file has this path, or the path of a folder above.
    """
    if isinstance(folder, Url):
        file: Location | None = folder if folder.is_file() else None
    else:
        file = file_in_the_way(folder)
    if file is not None:
        raise InputError("is a file", where=file, expected="a folder")


def is_empty(folder: Location, suffixes: Collection[str]) -> bool:
    """Whether a folder has no entries but hidden ones.

    Args:
        folder: Existing folder.
        suffixes: Lower-case suffixes of files there, see `Url.folders`.
    """
    if isinstance(folder, Url):
        names = [name for kind in folder.folders(suffixes) for name in kind]
    else:
        names = [path.name for path in folder.iterdir()]
    return all(map(is_hidden, names))
