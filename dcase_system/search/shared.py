"""A search that processes share through Optuna: trials of dead workers are run again.

The trial of a dead worker is marked as failed: heartbeats show it in a database, the trial's lock
beside a journal. Failed trials are queued again, and workers take queued trials before they ask for
new ones. A worker ends only when the requested number of candidates is trained, so a worker killed
at the very end does not leave the search short.
"""

import copy
import logging
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import BaseStorage, RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.trial import FrozenTrial, TrialState

from dcase_system.core.errors import InputError
from dcase_system.core.identity import identity
from dcase_system.search.database import Database, is_database
from dcase_system.search.journal import Journal

_LOG = logging.getLogger(__name__)
_SEARCH, _CODE = "search", "code"  # study attributes: fingerprint of the search, and of the code
_POLL_SECONDS = 0.5
_EXPECTED = "a journal file or postgresql://user@host/database"
NAME = "name"  # trial attribute: its candidate
Run = Callable[[optuna.Trial], Sequence[float]]
_repeats = RetryHeartbeatStaleTrialCallback.retry_history
"""Numbers of the trials that a trial repeats, oldest first; empty for a new trial."""


class _NotWanted(Exception):
    """The trial is not needed: its candidate has another trial, or enough trials are running."""


@dataclass(frozen=True)
class SharedStudy:
    """A study that this worker takes part in.

    Attributes:
        study: Study of the search.
        place: Storage of the study.
    """

    study: optuna.Study
    place: Journal | Database

    def search_list(
        self, names: Sequence[str], run: Callable[[optuna.Trial, str], Sequence[float]]
    ) -> None:
        """Runs a trial of each candidate exactly once, whichever workers die.

        New trial k, and each trial that repeats it, evaluates candidate k.

        Args:
            names: Names of the candidates.
            run: Claims a candidate, runs its trial and returns the objective values.
        """

        def place(number: int) -> int:
            trials = self.trials()
            (first, *_), *_ = ([*_repeats(one), number] for one in trials if one.number == number)
            return sum(one.number < first and not _repeats(one) for one in trials)

        def run_one(trial: optuna.Trial) -> Sequence[float]:
            at = place(trial.number)
            if at >= len(names):
                raise _NotWanted
            return run(trial, names[at])

        self.search(
            lambda: len(set(names) - set(self.finished())),
            run_one,
            may_ask=lambda: sum(not _repeats(one) for one in self.trials()) < len(names),
            again=lambda trial: place(trial.number) < len(names),
        )

    def search(
        self,
        missing: Callable[[], int],
        run: Run,
        *,
        may_ask: Callable[[], bool],
        again: Callable[[FrozenTrial], bool] = lambda _: True,
    ) -> None:
        """Runs trials until the requested number of candidates is finished.

        Waits while other workers evaluate the last missing candidates.

        Args:
            missing: Returns how many candidates are still unfinished.
            run: Claims a candidate, runs its trial and returns the objective values.
            may_ask: Whether new trials are available.
            again: Whether to run a failed trial again.
        """
        while (wanted := missing()) > 0:
            self._queue_what_was_left(again)
            states = Counter(trial.state for trial in self.trials())
            running = states[TrialState.RUNNING]
            if running < wanted and (states[TrialState.WAITING] or may_ask()):
                self._run_one(run, missing)
            elif running:
                time.sleep(_POLL_SECONDS)
            else:
                return

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """Trials in these states, or all, ordered by number; do not modify them."""
        return self.study.get_trials(deepcopy=False, states=states or None)

    def claim(self, trial: optuna.Trial, name: str) -> None:
        """Records the candidate of a running trial; ends the trial if another one has claimed it.

        The claim is recorded before others are looked for: if two workers claim a candidate at
        once, both trials may end, but never do both train it.
        """
        trial.set_user_attr(NAME, name)
        others = self.trials(TrialState.RUNNING, TrialState.COMPLETE)
        if any(_name(one) == name and one.number != trial.number for one in others):
            raise _NotWanted

    def finished(self) -> dict[str, FrozenTrial]:
        """Trials of finished candidates, by candidate name."""
        trials = self.trials(TrialState.COMPLETE)
        return {_name(trial): trial for trial in trials if _name(trial)}

    def _queue_what_was_left(self, again: Callable[[FrozenTrial], bool]) -> None:
        fail_stale_trials(self.study)
        trials = self.trials()
        for trial in trials:
            if trial.state != TrialState.RUNNING:
                continue
            with self.place.left(self.study.study_name, trial) as left:
                if left:
                    with suppress(ValueError, UpdateFinishedTrialError):  # it has just ended
                        self.study.tell(trial.number, state=TrialState.FAIL)
                    trials = self.trials()
        repeated = {number for trial in trials for number in _repeats(trial)}
        names = {_name(trial) for trial in trials if trial.state != TrialState.FAIL} - {""}
        for trial in trials:
            known = trial.number in repeated or _name(trial) in names
            if trial.state == TrialState.FAIL and not known and again(trial):
                RetryHeartbeatStaleTrialCallback()(self.study, copy.deepcopy(trial))

    def _run_one(self, run: Run, missing: Callable[[], int]) -> None:
        with ExitStack() as held:

            def objective(trial: optuna.Trial) -> Sequence[float]:
                held.enter_context(self.place.holding(self.study.study_name, trial))
                running = {one.number for one in self.trials(TrialState.RUNNING)}
                # Another worker may have taken it for a dead one's before it was held.
                if trial.number not in running or missing() <= sum(
                    number < trial.number for number in running
                ):
                    raise _NotWanted
                return run(trial)

            try:
                self.study.optimize(objective, n_trials=1, catch=(_NotWanted,))
            except (ValueError, AssertionError) as error:
                if not _is_taken(error):
                    raise
                _LOG.info("this worker was considered dead; another one runs its candidate")


def _is_taken(error: BaseException) -> bool:
    """Whether Optuna could not end a trial because another worker had marked it as failed."""
    if isinstance(error, AssertionError) and error.__context__:  # Optuna's wrapper of the other two
        error = error.__context__
    return isinstance(error, UpdateFinishedTrialError) or str(error).startswith("Cannot tell a F")


def _name(trial: FrozenTrial) -> str:
    """Candidate of a trial; empty if none was claimed."""
    return trial.user_attrs.get(NAME, "")


@contextmanager
def joined(
    storage: str | Path,
    name: str,
    search: str,
    directions: Sequence[Literal["maximize", "minimize"]],
    expected: str,
    sampler: Callable[[int], optuna.samplers.BaseSampler] | None = None,
) -> Iterator[SharedStudy]:
    """Joins a search; creates it if the storage does not hold it.

    Args:
        storage: Journal file, or `postgresql://user@host/database`.
        name: Name of the study in it.
        search: Fingerprint of the search and its settings.
        directions: Direction of each objective, `maximize` or `minimize`.
        expected: Kind of search that the storage must hold, for the error.
        sampler: Makes the sampler from the number of existing trials; random by default.

    Raises:
        InputError: The storage cannot be reached or read, belongs to another search or to other
            code, or the connection to a database is lost.
    """
    _quieten()
    place = place_of(storage)
    with place.connected() as trials:
        study = _study(trials, place, name, directions)
        _check(study, place, _SEARCH, search, f"one of {expected}; name another storage")
        code = identity()
        _check(study, place, _CODE, code, "the code that created it; or name another storage")
        count = len(study.get_trials(deepcopy=False))
        study.sampler = sampler(count) if sampler else optuna.samplers.RandomSampler()
        yield SharedStudy(study, place)


def check_storage(storage: str | Path) -> None:
    """Connects to a storage, so that a wrong one is refused before any long work.

    Raises:
        InputError: The storage cannot be reached or read.
    """
    _quieten()
    with place_of(storage).connected():
        pass


def place_of(storage: str | Path) -> Journal | Database:
    """Returns the storage that a flag names.

    Raises:
        InputError: The storage is a database of another kind, or its address holds a password.
    """
    text = str(storage)
    if is_database(text):
        return Database(text)
    if "://" in text:
        scheme = text.partition("://")[0]
        raise InputError(
            "unknown kind of storage", where="storage", expected=_EXPECTED, received=f"{scheme}://"
        )
    return Journal(Path(text))


def _quieten() -> None:
    """Silences warnings about heartbeats and failed trials, whose errors are raised anyway."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=ExperimentalWarning)


def _study(
    trials: BaseStorage,
    place: Journal | Database,
    name: str,
    directions: Sequence[Literal["maximize", "minimize"]],
) -> optuna.Study:
    try:
        return optuna.create_study(
            study_name=name, storage=trials, directions=list(directions), load_if_exists=True
        )
    except (ValueError, KeyError, TypeError, AssertionError) as error:  # optuna asserts
        raise InputError(
            f"storage cannot be read ({error})", where=place, expected="the trials of a search"
        ) from error


def _check(
    study: optuna.Study, place: Journal | Database, attribute: str, value: Any, expected: str
) -> None:
    """Compares a value with the one a study was created with, or stores it in a new study."""
    known = study.user_attrs.get(attribute)
    if known is None:
        study.set_user_attr(attribute, value)
    elif known != value:
        different = "search" if attribute == _SEARCH else "code"
        raise InputError(
            f"storage belongs to another {different}",
            where=place,
            expected=expected,
            received=_short(known, value),
        )


def _short(known: Any, value: Any) -> str:
    """Short text of how the stored value differs."""
    if not isinstance(known, dict):
        return str(known)[:12]
    return ", ".join(f"{name} {known[name]}" for name in known if known[name] != value.get(name))
