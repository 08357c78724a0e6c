"""What a search needs of the place where its trials lie: a journal file or a database."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from optuna.storages import BaseStorage

from dcase_system.errors import InputError
from dcase_system.storage.database import SCHEMES, Database
from dcase_system.storage.journal import Journal

EXPECTED = "a journal file or postgresql://user@host/database"


class Place(Protocol):
    """Holds trials, and locks that go with the process that holds them, however it ends."""

    def connected(self) -> AbstractContextManager[BaseStorage]:
        """The trials, as long as the block runs.

        Raises:
            InputError: the place cannot be reached or read, or is lost within the block.
        """

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Holds a lock, and waits for it."""

    def try_lock(self, name: str) -> AbstractContextManager[bool]:
        """Holds a lock if it is free; whether it was."""


def place_of(storage: str | Path) -> Place:
    """The place that a flag names.

    Raises:
        InputError: it is a database of another kind, or holds a password.
    """
    text = str(storage)
    if text.startswith(SCHEMES):
        return Database(text)
    if "://" in text:
        scheme = text.partition("://")[0]
        raise InputError(
            "no storage of a search", where="storage", expected=EXPECTED, received=f"{scheme}://"
        )
    return Journal(Path(text))
