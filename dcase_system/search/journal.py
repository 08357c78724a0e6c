"""Stores a search's trials in a journal file, shared by all processes that can open it."""

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
    """A journal file. It has no heartbeats, so a worker holds a lock file for its trial.

    Attributes:
        path: Path of the journal, created if missing.
    """

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @contextmanager
    def connected(self) -> Iterator[BaseStorage]:
        """Opens the trials in the file.

        Raises:
            InputError: The file is not a journal.
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
        """Holds the lock of a trial; it is released with the process, however that ends."""
        path = self._lock_of(study, trial.number)
        path.parent.mkdir(exist_ok=True)
        with FileLock(path):
            yield
            path.unlink(missing_ok=True)

    @contextmanager
    def left(self, study: str, trial: FrozenTrial) -> Iterator[bool]:
        """Says whether the worker of a running trial is dead.

        If so, the trial's lock is held meanwhile: a living worker that is about to hold it waits
        until its trial has been marked as failed, and then sees that it has.
        """
        path = self._lock_of(study, trial.number)
        path.parent.mkdir(exist_ok=True)
        try:
            held = FileLock(path, blocking=False).acquire()
        except Timeout:
            yield False
        else:
            with held:
                yield True
                path.unlink()

    def _lock_of(self, study: str, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.locks") / f"{study}-{number}"


class _Lock(JournalFileOpenLock):
    """Lock held while a line is appended; it is released with the process, however that ends.

    Optuna's own lock is a file that a killed process leaves behind, which costs others 30 s. This
    lock also drops a last line truncated by a full disk or a crash, because Optuna cannot read a
    journal with such a line in its middle.
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
                # Not a journal: do not cut somebody else's file.
                raise ValueError(f"ends with {torn[:20]!r}")
            stream.truncate(whole)
