"""A search's trials in a journal file, which processes, and machines that see it, share."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from dcase_system.errors import InputError
from dcase_system.files import locked, try_locked

_LINE = b'{"op_code":'  # how every line of a journal begins


@dataclass(frozen=True)
class Journal:
    """A journal file; its locks are those of files beside it.

    Attributes:
        path: of the journal, made if absent.
    """

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @contextmanager
    def connected(self) -> Iterator[BaseStorage]:
        """The trials in the file.

        Raises:
            InputError: the file is no journal.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            storage = JournalStorage(JournalFileBackend(str(self.path), _Lock(self.path)))
            storage.get_all_studies()
        except (ValueError, KeyError, TypeError, AssertionError) as error:  # optuna asserts
            raise InputError(
                f"storage cannot be read ({error})",
                where=self.path,
                expected="a journal of a search",
            ) from error
        yield storage

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Holds a lock, and waits for it."""
        with locked(self._beside(name), lambda: None):
            yield

    @contextmanager
    def try_lock(self, name: str) -> Iterator[bool]:
        """Holds a lock if it is free; whether it was."""
        with try_locked(self._beside(name)) as free:
            yield free

    def _beside(self, name: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{name}")


class _Lock(JournalFileOpenLock):
    """Held while a line is added; it goes with the process, however it ends.

    Optuna's own locks are files: a process killed in that moment leaves one, which the next waits
    30 s for, and for ever where the journal was named by a relative path. A line that a kill or a
    full disk has torn is dropped, so that the next one does not continue it.
    """

    def __init__(self, journal: Path):
        super().__init__(str(journal))
        self._journal = journal
        self._stack = ExitStack()

    def acquire(self) -> bool:
        lock = self._journal.with_name(f"{self._journal.name}.writing")
        self._stack.enter_context(locked(lock, lambda: None))
        try:
            self._drop_torn_line()
        except BaseException:
            self._stack.close()
            raise
        return True

    def release(self) -> None:
        self._stack.close()

    def _drop_torn_line(self) -> None:
        with self._journal.open("rb+") as stream:
            content = stream.read()
            whole = content.rfind(b"\n") + 1
            torn = content[whole:]
            if torn[: len(_LINE)] != _LINE[: len(torn)]:
                # Somebody else's file, which is not ours to cut.
                raise ValueError(f"ends with {torn[:20]!r}")
            stream.truncate(whole)
