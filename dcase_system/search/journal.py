"""A search's trials in a journal file, which processes, and machines that see it, share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from optuna import Trial
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial

from dcase_system.core.errors import InputError

_LINE = b'{"op_code":'  # how every line of a journal begins


@dataclass(frozen=True)
class Journal:
    """A journal file. Who is at a trial holds a lock beside it, since journals have no heartbeats.

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
    def holding(self, study: str, trial: Trial) -> Iterator[None]:
        """Holds the lock of a trial, which goes with the process, however that ends."""
        path = self._lock_of(study, trial.number)
        path.parent.mkdir(exist_ok=True)
        with FileLock(path):
            yield
            path.unlink(missing_ok=True)

    def is_left(self, study: str, trial: FrozenTrial) -> bool:
        """Whether nobody is at a running trial."""
        path = self._lock_of(study, trial.number)
        path.parent.mkdir(exist_ok=True)
        try:
            with FileLock(path, blocking=False):
                path.unlink()
                return True
        except Timeout:
            return False

    def _lock_of(self, study: str, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.locks") / f"{study}-{number}"


class _Lock(JournalFileOpenLock):
    """Held while a line is added; it goes with the process, however that ends.

    Optuna's own lock is the file itself: one that a killed process leaves is waited for 30 s. A
    line that a full disk or a lost machine has torn is dropped here, since Optuna reads no journal
    with such a line in its middle.
    """

    def __init__(self, journal: Path):
        super().__init__(str(journal))
        self._journal, self._held = journal, FileLock(f"{journal}.writing")

    def acquire(self) -> bool:
        self._held.acquire()
        try:
            self._drop_torn_line()
        except BaseException:
            self._held.release()
            raise
        return True

    def release(self) -> None:
        self._held.release()

    def _drop_torn_line(self) -> None:
        with self._journal.open("rb+") as stream:
            content = stream.read()
            whole = content.rfind(b"\n") + 1
            torn = content[whole:]
            if torn[: len(_LINE)] != _LINE[: len(torn)]:
                # Somebody else's file, which is not ours to cut.
                raise ValueError(f"ends with {torn[:20]!r}")
            stream.truncate(whole)
