"""A search's journal: its trials in a file that processes, and machines that see it, share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from dcase_system.errors import InputError

_SEARCH = "search"  # attribute of the study: what it searches


def open_study(
    storage: Path,
    name: str,
    search: str,
    directions: Sequence[Literal["maximize", "minimize"]],
    expected: str,
) -> optuna.Study:
    """The study of a search in a journal file, made if absent.

    Args:
        storage: the journal file.
        name: of the study in it.
        search: a fingerprint of what is searched, and with what.
        directions: of the objectives, `maximize` or `minimize`.
        expected: what a storage has to be of, for the error.

    Raises:
        InputError: the file is no journal, or belongs to another search.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage.parent.mkdir(parents=True, exist_ok=True)
    try:
        study = optuna.create_study(
            study_name=name,
            storage=JournalStorage(JournalFileBackend(str(storage))),
            directions=list(directions),
            load_if_exists=True,
        )
    except (ValueError, KeyError, TypeError, AssertionError) as error:  # optuna asserts
        raise InputError(
            f"storage cannot be read ({error})", where=storage, expected="a journal of a search"
        ) from error
    if study.user_attrs.setdefault(_SEARCH, search) != search:
        raise InputError(
            "storage belongs to another search",
            where=storage,
            expected=f"one of {expected}; name another file",
            received=study.user_attrs[_SEARCH][:12],
        )
    study.set_user_attr(_SEARCH, search)
    return study
