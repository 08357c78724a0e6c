"""Whether lists are apart: what is trained on is not scored, and no place is on both sides."""

import posixpath
from collections import Counter
from collections.abc import Iterable, Sequence

from dcase_system.core.errors import InputError
from dcase_system.core.places import Place
from dcase_system.corpora.corpus import Clips


def check_apart(
    train: Clips, test: Clips, train_list: object, test_list: object
) -> tuple[str, ...]:
    """Refuses lists that share clips, and says whether they share recording places.

    Args:
        train: clips that are trained on.
        test: clips of the same corpus that are scored.
        train_list: what the first list is called in messages, such as `split5.csv`.
        test_list: what the second one is called.

    Returns:
        Warnings, a line each: none if no place (`identifier` of meta.csv) is in both lists, as
        in TAU.

    Raises:
        InputError: a clip is in both lists.
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
    root: Place, train: Sequence[str], evaluation: Place, listed: Sequence[str], train_list: object
) -> None:
    """Refuses evaluation clips that are trained on: the same files, wherever the folders lie.

    Args:
        root: folder of the development clips.
        train: names below it of the clips that are trained on.
        evaluation: folder of the evaluation clips.
        listed: their names below it.
        train_list: what the training list is called in messages.

    Raises:
        InputError: a file is in both lists.
    """
    refuse_shared(_files(root, train), _files(evaluation, listed), train_list, "evaluation list")


def refuse_shared(
    train: Iterable[str], test: Iterable[str], train_list: object, test_list: object
) -> None:
    """Refuses two lists that share a name.

    Raises:
        InputError: they do; the line names the first and says how many there are.
    """
    trained = set(train)
    shared = [name for name in test if name in trained]
    if shared:
        raise InputError(
            f"clips are in {train_list} too: what is trained on cannot be scored",
            where=test_list,
            expected="no clip in both lists",
            received=f"{len(shared)}, the first {shared[0]}",
        )


def _files(root: Place, names: Iterable[str]) -> list[str]:
    """Where each clip is; folders are resolved, not every file."""
    folders: dict[str, str] = {}
    found = []
    for name in names:
        folder, _, base = posixpath.normpath(name).rpartition("/")
        if folder not in folders:
            folders[folder] = str((root / folder).resolve() if folder else root.resolve())
        found.append(f"{folders[folder]}/{base}")
    return found
