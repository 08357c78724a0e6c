"""A search that processes share, through Optuna: what dead processes have left is run again.

A trial of a process that is no more is failed, by Optuna's heartbeats in a database and by its lock
beside a journal. Failed trials are queued again, and queued ones are taken before new ones are
asked for. The last candidates are waited for: a process ends when as many as were wanted are
trained, so that nothing is left short by one that is killed at the very end.
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
_SEARCH, _CODE = "search", "code"  # attributes of the study: what it searches, and with what
_POLL_SECONDS = 0.5
_EXPECTED = "a journal file or postgresql://user@host/database"
NAME = "name"  # attribute of a trial: the candidate that it is about
_LIVE = (TrialState.RUNNING, TrialState.COMPLETE)
Run = Callable[[optuna.Trial], Sequence[float]]
_repeats = RetryHeartbeatStaleTrialCallback.retry_history
"""Numbers of the trials that a trial repeats, the first one first; empty for a new one."""


class _NotWanted(Exception):
    """A trial is not wanted, since another one is about its candidate or is the last one."""


@dataclass(frozen=True)
class SharedStudy:
    """A study that this process takes part in.

    Attributes:
        study: of the search.
        place: where it lies.
    """

    study: optuna.Study
    place: Journal | Database

    def search_list(
        self, names: Sequence[str], run: Callable[[optuna.Trial, str], Sequence[float]]
    ) -> None:
        """Runs a trial of each candidate, exactly once whatever dies.

        New trial k is about candidate k, and one that repeats it too.

        Args:
            names: of the candidates.
            run: runs a trial of a candidate, which it claims first; its values.
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
        """Runs trials until as many candidates as are wanted are finished.

        Waits while other processes are at work on the last ones that are missing.

        Args:
            missing: how many candidates are still to be finished.
            run: runs a trial, which it claims first; its values.
            may_ask: whether there are new trials at all.
            again: whether a failed trial is to be run again.
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
        """Trials in these states, or all, by their numbers; not to be changed."""
        return self.study.get_trials(deepcopy=False, states=states or None)

    def claim(self, trial: optuna.Trial, name: str) -> None:
        """Writes down which candidate a running trial is about, and ends it if another one is.

        Of two that claim a candidate at once both may end, but not both train it: it is written
        down before others are looked for.
        """
        trial.set_user_attr(NAME, name)
        others = self.trials(TrialState.RUNNING, TrialState.COMPLETE)
        if any(_name(one) == name and one.number != trial.number for one in others):
            raise _NotWanted

    def finished(self) -> dict[str, FrozenTrial]:
        """The trials of finished candidates, by the names that they were claimed under."""
        trials = self.trials(TrialState.COMPLETE)
        return {_name(trial): trial for trial in trials if _name(trial)}

    def _queue_what_was_left(self, again: Callable[[FrozenTrial], bool]) -> None:
        fail_stale_trials(self.study)
        trials = self.trials()
        for trial in trials:
            running = trial.state == TrialState.RUNNING
            if running and self.place.is_left(self.study.study_name, trial):
                with suppress(ValueError, UpdateFinishedTrialError):  # it was faster
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
                running = self.trials(TrialState.RUNNING)
                if missing() <= sum(one.number < trial.number for one in running):
                    raise _NotWanted
                return run(trial)

            try:
                self.study.optimize(objective, n_trials=1, catch=(_NotWanted,))
            except (ValueError, AssertionError) as error:
                if not _is_taken(error):
                    raise
                _LOG.info("this process was taken for dead; its candidate is run by another one")


def _is_taken(error: BaseException) -> bool:
    """Whether Optuna could not end a trial because somebody else had failed it."""
    if isinstance(error, AssertionError) and error.__context__:  # what it says of the other two
        error = error.__context__
    return isinstance(error, UpdateFinishedTrialError) or str(error).startswith("Cannot tell a F")


def _name(trial: FrozenTrial) -> str:
    """The candidate that a trial is about; empty if it was not claimed."""
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
    """Takes part in a search, which is begun if the storage does not hold it.

    Args:
        storage: a journal file, or `postgresql://user@host/database`.
        name: of the study in it.
        search: a fingerprint of what is searched, and with what.
        directions: of the objectives, `maximize` or `minimize`.
        expected: what a storage has to be of, for the error.
        sampler: of what trials decide, if they do, given how many trials there are.

    Raises:
        InputError: the storage cannot be reached or read, belongs to another search or to other
            code, or a database is lost on the way.
    """
    _quieten()
    place = place_of(storage)
    with place.connected() as trials:
        study = _study(trials, place, name, directions)
        _check(study, place, _SEARCH, search, f"one of {expected}; name another storage")
        code = identity()
        _check(study, place, _CODE, code, "the code that it was begun with, or name another")
        count = len(study.get_trials(deepcopy=False))
        study.sampler = sampler(count) if sampler else optuna.samplers.RandomSampler()
        yield SharedStudy(study, place)


def check_storage(storage: str | Path) -> None:
    """Reaches a storage, so that a wrong one is refused before anything long begins.

    Raises:
        InputError: it cannot be reached or read.
    """
    _quieten()
    with place_of(storage).connected():
        pass


def place_of(storage: str | Path) -> Journal | Database:
    """The place that a flag names.

    Raises:
        InputError: it is a database of another kind, or holds a password.
    """
    text = str(storage)
    if is_database(text):
        return Database(text)
    if "://" in text:
        scheme = text.partition("://")[0]
        raise InputError(
            "no storage of a search", where="storage", expected=_EXPECTED, received=f"{scheme}://"
        )
    return Journal(Path(text))


def _quieten() -> None:
    """No warnings of heartbeats, nor of failed trials, whose errors are raised anyway."""
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
    """Compares what a study was begun with, or writes it down."""
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
    """What is different about the stored value."""
    if not isinstance(known, dict):
        return str(known)[:12]
    return ", ".join(f"{name} {known[name]}" for name in known if known[name] != value.get(name))
