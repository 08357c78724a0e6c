"""Says what is wrong with a folder that is not, or not yet, in the layout of a corpus."""

from pathlib import Path, PurePath

from dcase_system.core.errors import InputError
from dcase_system.core.folders import is_empty, refuse_file
from dcase_system.core.locations import Location, Url, files_below, find_list_below
from dcase_system.corpora.formats import SUFFIXES


def check_folder(root: Location, expected: str) -> None:
    """Refuses a data folder that does not exist, or that is a file.

    Args:
        root: Folder that a command was given.
        expected: What it should hold, for the error.

    Raises:
        InputError: There is no such folder.
    """
    if not root.is_dir():
        refuse_file(root)
        raise InputError("data folder does not exist", where=root, expected=expected)


def check_not_empty(root: Location, expected: str) -> None:
    """Refuses an empty data folder; called once a file in it is missing.

    Args:
        root: Existing folder.
        expected: What it should hold, for the error.

    Raises:
        InputError: The folder is empty.
    """
    if is_empty(root, SUFFIXES):
        raise InputError("data folder is empty", where=root, expected=expected)


def audio_below(folder: Path) -> list[PurePath]:
    """Lists the audio files below a folder, sorted, relative to it.

    Raises:
        InputError: There are none.
    """
    found = list(files_below(folder, SUFFIXES))
    if not found:
        raise InputError("no audio files", where=folder, expected=", ".join(sorted(SUFFIXES)))
    return found


def missing_meta(root: Location, columns: str) -> InputError:
    """Returns the error for a folder without `meta.csv`, after what is there instead of it.

    Args:
        root: Existing folder that is not empty.
        columns: Columns of `meta.csv`, in words.
    """
    path, rows = root / "meta.csv", f"tab-separated columns {columns}, and one row for each clip"
    below = find_list_below(root, "meta.csv", SUFFIXES)
    if below is not None:
        folder = str(below).removesuffix("/meta.csv")
        return InputError("file is missing, but is one level down", where=path, expected=folder)
    # Remote folders are not searched: each name in them may cost a request.
    audio = None if isinstance(root, Url) else next(files_below(root, SUFFIXES), None)
    if audio is None:
        return InputError("file is missing", where=path, expected=rows)
    return InputError(
        "file is missing: the names of folders are no labels here",
        where=path,
        expected=f"{rows}; or recipes.sounds, for a folder of recordings for each class",
        received=f"audio without a list, such as {audio}",
    )
