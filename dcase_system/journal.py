"""A search's journal: its trials in a file that processes, and machines that see it, share."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from dcase_system.errors import InputError
from dcase_system.files import locked

_LINE = b'{"op_code":'  # how every line of a journal begins
_SEARCH = "search"  # attribute of the study: what it searches


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


@contextmanager
def one_worker(storage: Path, number: int, method: str = "") -> Iterator[None]:
    """Held while a process works on a search under a number of its own.

    Args:
        storage: the journal file.
        number: of the process.
        method: of the search, where several share a journal.

    Raises:
        InputError: another process with this number is at work.
    """

    def refuse() -> None:
        raise InputError(
            "another process has this worker number",
            where=storage,
            expected="a number of its own for each process",
            received=number,
        )

    parts = [storage.name, *([method] if method else []), str(number), "lock"]
    with locked(storage.with_name(".".join(parts)), refuse):
        yield


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
            storage=JournalStorage(JournalFileBackend(str(storage), _Lock(storage))),
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
