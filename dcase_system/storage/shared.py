"""A search that processes share: who is at work on what, and what dead ones have left.

A process holds a number, and with it a lock that goes when the process does. So a trial that runs
under a number which nobody holds was left by a process that is no more, and whoever asks next takes
it up. The last candidates are waited for: a process ends when as many as were wanted are trained,
not before, so that nothing is left short by one that is killed at the very end.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from dcase_system.errors import InputError
from dcase_system.identity import identity
from dcase_system.storage.place import Place, place_of

_SEARCH, _CODE = "search", "code"  # attributes of the study: what it searches, and with what
_WORKER = "worker"  # attribute of a trial: the number of the process that is at it
_POLL_SECONDS = 0.5
Proposal = TypeVar("Proposal")


@dataclass(frozen=True)
class SharedStudy:
    """A study that this process takes part in.

    Attributes:
        study: of the search.
        place: where it lies.
        name: of the study.
        worker: number of this process.
    """

    study: optuna.Study
    place: Place
    name: str
    worker: int

    def next_trial(
        self,
        distributions: dict[str, BaseDistribution],
        missing: Callable[[], int],
        propose: Callable[[optuna.Trial], Proposal],
        *,
        may_ask: bool = True,
    ) -> tuple[optuna.Trial, Proposal] | None:
        """The next trial for this process: one that a dead process has left, or a new one.

        Waits while living processes are at work on the last ones that are missing.

        Args:
            distributions: what a new trial decides.
            missing: how many candidates are still to be finished.
            propose: says what a trial is about, and writes it down. No other process asks or
                proposes meanwhile.
            may_ask: whether there are new trials at all.

        Returns:
            The trial, running, and what `propose` gave; None if nothing is missing, or nothing is
            left and no new trial may be asked for.
        """
        while True:
            with self._asking():
                running, wanted = self.running(), missing()
                if wanted <= 0 or not (may_ask or running):
                    return None
                left = next((one for one in running if self._is_left(one)), None)
                trial = None
                if left is not None:
                    trial = optuna.Trial(self.study, left._trial_id)  # no public way back to it
                elif may_ask and len(running) < wanted:
                    trial = self.study.ask(distributions)
                if trial is not None:
                    trial.set_user_attr(_WORKER, self.worker)
                    return trial, propose(trial)
            time.sleep(_POLL_SECONDS)

    def tell(self, number: int, values: Sequence[float] | None, **attributes: Any) -> None:
        """Ends a trial of this process.

        Args:
            number: of the trial.
            values: of the objectives; None if it is given up.
            attributes: of the study, that are written with it.
        """
        with self._asking():
            for name, value in attributes.items():
                self.study.set_user_attr(name, value)
            state = TrialState.FAIL if values is None else None
            self.study.tell(number, values, state=state)

    def running(self) -> list[FrozenTrial]:
        """The trials that are not finished."""
        return self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))

    def of_others(self, attribute: str, trial: optuna.Trial) -> set[Any]:
        """What the trials beside this one that are not finished have as an attribute."""
        return {
            one.user_attrs.get(attribute) for one in self.running() if one.number != trial.number
        }

    def _asking(self):
        return self.place.lock(f"{self.name}.asking")

    def _is_left(self, trial: FrozenTrial) -> bool:
        """Whether the process that was at a trial is no more; nobody else asks meanwhile."""
        # One without a number is that of a process which was killed while it asked.
        number = trial.user_attrs.get(_WORKER, self.worker)
        if number == self.worker:
            return True
        with self.place.try_lock(_lock_of(self.name, number)) as free:
            return free


@contextmanager
def joined(
    storage: str | Path,
    name: str,
    search: str,
    directions: Sequence[Literal["maximize", "minimize"]],
    expected: str,
    worker: int | None = 0,
) -> Iterator[SharedStudy]:
    """Takes part in a search, which is begun if the storage does not hold it.

    Args:
        storage: a journal file, or `postgresql://user@host/database`.
        name: of the study in it.
        search: a fingerprint of what is searched, and with what.
        directions: of the objectives, `maximize` or `minimize`.
        expected: what a storage has to be of, for the error.
        worker: number of this process, another one for each that is at work; None takes the first
            from 1 that is free.

    Raises:
        InputError: the storage cannot be reached or read, belongs to another search or to other
            code, another process has this number, or a database is lost on the way.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    place = place_of(storage)
    with ExitStack() as stack:
        trials = stack.enter_context(place.connected())
        # Who looks whether a number is free holds its lock for a moment.
        with place.lock(f"{name}.asking"):
            number = 1 if worker is None else worker
            while not stack.enter_context(place.try_lock(_lock_of(name, number))):
                if worker is not None:
                    raise InputError(
                        "another process has this worker number",
                        where=place,
                        expected="a number of its own for each process",
                        received=worker,
                    )
                number += 1
            study = _study(trials, place, name, directions)
            _check(study, place, _SEARCH, search, f"one of {expected}; name another storage")
            code = identity()
            _check(study, place, _CODE, code, "the code that it was begun with, or name another")
        yield SharedStudy(study, place, name, number)


def check_storage(storage: str | Path) -> None:
    """Reaches a storage, so that a wrong one is refused before anything long begins.

    Raises:
        InputError: it cannot be reached or read.
    """
    with place_of(storage).connected():
        pass


def _lock_of(name: str, worker: int) -> str:
    return f"{name}.{worker}.lock"


def _study(
    trials: BaseStorage,
    place: Place,
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


def _check(study: optuna.Study, place: Place, attribute: str, value: Any, expected: str) -> None:
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
