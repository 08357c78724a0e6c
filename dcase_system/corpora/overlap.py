"""Checks that lists do not overlap: no shared clips (error), no shared places (warning)."""

import posixpath
from collections import Counter
from collections.abc import Iterable, Sequence

from dcase_system.core.errors import InputError
from dcase_system.core.locations import Location
from dcase_system.corpora.corpus import Clips


def check_apart(
    train: Clips, test: Clips, train_list: object, test_list: object
) -> tuple[str, ...]:
    """Refuses lists that share clips, and warns if they share recording places.

    Args:
        train: Training clips.
        test: Dev-test clips of the same corpus.
        train_list: Name of the training list in messages, such as `split5.csv`.
        test_list: Name of the dev-test list in messages.

    Returns:
        Warnings, one per line; none if no place (`identifier` of meta.csv) is in both lists, as
        in TAU.

    Raises:
        InputError: A clip is in both lists.
    """
    refuse_shared(
        map(posixpath.normpath, train.filenames),
        map(posixpath.normpath, test.filenames),
        train_list,
        test_list,
    )
    shared = set(train.locations) & set(test.locations)
    if not shared:
        return ()
    first = next(place for place in test.locations if place in shared)
    of_train, of_test = Counter(train.locations), Counter(test.locations)
    trained, scored = (sum(of[place] for place in shared) for of in (of_train, of_test))
    return (
        f"{len(shared)} of {len(of_test)} recording places of {test_list} are in {train_list} "
        f"too, the first {first}: {scored} of {len(test)} clips that are scored, {trained} of "
        f"{len(train)} that are trained on; accuracy at other places may be lower",
    )


def check_evaluation(
    root: Location,
    train: Sequence[str],
    evaluation: Location,
    listed: Sequence[str],
    train_list: object,
) -> None:
    """Refuses evaluation clips that are also training clips; compares resolved file paths.

    Args:
        root: Folder of the development clips.
        train: Names of the training clips below `root`.
        evaluation: Folder of the evaluation clips.
        listed: Names of the evaluation clips below `evaluation`.
        train_list: Name of the training list in messages.

    Raises:
        InputError: A file is in both lists.
    """
    refuse_shared(_files(root, train), _files(evaluation, listed), train_list, "evaluation list")


def refuse_shared(
    train: Iterable[str], test: Iterable[str], train_list: object, test_list: object
) -> None:
    """Refuses two lists that share a name.

    Raises:
        InputError: The lists share names; the message has the first one and their number.
    """
    trained = set(train)
    shared = [name for name in test if name in trained]
    if shared:
        raise InputError(
            f"clips are also in {train_list}: training clips cannot be scored",
            where=test_list,
            expected="no clip in both lists",
            received=f"{len(shared)}, the first {shared[0]}",
        )


def _files(root: Location, names: Iterable[str]) -> list[str]:
    """Absolute path of each clip; resolves folders, not every file."""
    folders: dict[str, str] = {}
    found = []
    for name in names:
        folder, _, base = posixpath.normpath(name).rpartition("/")
        if folder not in folders:
            folders[folder] = str((root / folder).resolve() if folder else root.resolve())
        found.append(f"{folders[folder]}/{base}")
    return found
