"""Searches a space of candidates, at random or with NSGA-II, in a storage that workers share.

An interrupted search continues with its storage. No candidate is evaluated twice, and none that the
problem does not admit; the trial of a dead worker is run again by the next free one.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

import optuna
from optuna.trial import FrozenTrial

from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint
from dcase_system.search.shared import NAME, SharedStudy, joined
from dcase_system.training.seeds import derive

_LOG = logging.getLogger(__name__)
Method = Literal["random", "nsga2"]
C = TypeVar("C")  # candidate
_MEASURES = "measures"  # trial attribute: what the evaluation returned
_MOST_PROPOSALS = 200  # per candidate: repeated and inadmissible proposals are not evaluated


class Problem(Protocol[C]):
    """The candidates of a search, and their costs.

    Attributes:
        key: Identifies the space and its limits.
        num_costs: Number of costs, which NSGA-II minimizes.
    """

    @property
    def key(self) -> str: ...

    @property
    def num_costs(self) -> int: ...

    def drawn(self, seed: int) -> Iterator[C]:
        """Yields distinct admissible candidates in random order; raises InputError if none is."""

    def size(self) -> int | None:
        """Number of admissible candidates, or None if unknown; raises InputError if none is."""

    def choices(self) -> Mapping[str, Sequence[Any]]:
        """Returns the decisions that NSGA-II makes, and the options of each."""

    def decode(self, decided: Mapping[str, Any]) -> C:
        """Returns the candidate of these decisions."""

    def name(self, candidate: C) -> str: ...

    def costs(self, candidate: C) -> tuple[float, ...]: ...

    def excess(self, candidate: C) -> float:
        """Distance of a candidate from the limits; 0 within them."""


@dataclass(frozen=True)
class Found(Generic[C]):
    """A candidate that a search has evaluated, its measures and its costs."""

    name: str
    candidate: C
    measures: Mapping[str, float]
    costs: tuple[float, ...]


@dataclass(frozen=True)
class Search(Generic[C]):
    """A search and its settings.

    Attributes:
        problem: Candidates and their costs.
        method: `random`: distinct admissible candidates in an order that the seed decides; `nsga2`:
            NSGA-II of the first measure against the costs, and the limits as a constraint.
        scored: Identifies what the measures depend on: clips, front end, training.
        storage: Journal file, created if absent, or `postgresql://user@host/database`.
        num_trials: Number of candidates to evaluate.
        name: Name of the search; a storage may hold several.
        population: Trials of a generation of NSGA-II.
        seed: Seed of the search.
    """

    problem: Problem[C]
    method: Method
    scored: str
    storage: str | Path
    num_trials: int
    name: str
    population: int = 20
    seed: int = 0

    def run(
        self, evaluate: Callable[[C], Mapping[str, float]], *, helps: bool = False
    ) -> list[Found[C]]:
        """Evaluates candidates until the storage holds enough, and returns all of them.

        Args:
            evaluate: Returns the measures of a candidate; NSGA-II maximizes the first.
            helps: Whether another worker started the search; NSGA-II then draws other candidates.

        Raises:
            InputError: No candidate is admissible or NSGA-II proposed none, or see `joined`.
        """
        random = self.method == "random"
        most = len(self._sequence) if random else self.problem.size()
        wanted = self.num_trials if most is None else min(self.num_trials, most)
        key = fingerprint([self.problem.key, self.method, self.seed, self.scored])
        directions: list[Literal["maximize", "minimize"]] = ["maximize"]
        directions += ["minimize"] * self.problem.num_costs
        expected = "this search space, its limits, method, seed, clips and trainings"

        def sampler(trials: int) -> optuna.samplers.NSGAIISampler:
            # A resumed search must not repeat its draws.
            own = derive(self.seed, "sampler", trials, os.getpid() if helps else 0)
            return optuna.samplers.NSGAIISampler(population_size=self.population, seed=own)

        with joined(self.storage, self.name, key, directions, expected, sampler) as shared:
            if random:
                shared.search_list(
                    list(self._sequence),
                    lambda trial, name: self._run(shared, trial, self._sequence[name], evaluate),
                )
            else:
                self._search_nsga2(shared, wanted, evaluate)
            found = [self._found(trial) for trial in self._evaluated(shared).values()]
        if not found:
            raise InputError(
                "NSGA-II proposed no candidate within the limits",
                where="search",
                expected="wider limits, or the method random",
            )
        if len(found) < self.num_trials:
            _LOG.info("found %d of %d candidates within the limits", len(found), self.num_trials)
        return found

    @cached_property
    def _sequence(self) -> dict[str, C]:
        """Candidates of a random search by name, in the order of the new trials."""
        drawn = islice(self.problem.drawn(self.seed), self.num_trials)
        return {self.problem.name(candidate): candidate for candidate in drawn}

    def _search_nsga2(
        self, shared: SharedStudy, wanted: int, evaluate: Callable[[C], Mapping[str, float]]
    ) -> None:
        choices, asked = self.problem.choices(), list[int]()

        def run(trial: optuna.Trial) -> Sequence[float]:
            asked.append(trial.number)
            decided = {name: trial.suggest_categorical(name, of) for name, of in choices.items()}
            candidate = self.problem.decode(decided)
            excess = self.problem.excess(candidate)
            trial.set_constraint("limits", excess)
            if excess:
                return 0.0, *self.problem.costs(candidate)
            known = self._evaluated(shared).get(self.problem.name(candidate))
            return known.values if known else self._run(shared, trial, candidate, evaluate)

        shared.search(
            lambda: wanted - len(self._evaluated(shared)),
            run,
            may_ask=lambda: len(asked) < _MOST_PROPOSALS * wanted,
        )

    def _run(
        self,
        shared: SharedStudy,
        trial: optuna.Trial,
        candidate: C,
        evaluate: Callable[[C], Mapping[str, float]],
    ) -> Sequence[float]:
        name, costs = self.problem.name(candidate), self.problem.costs(candidate)
        shared.claim(trial, name)
        measures = dict(evaluate(candidate))
        trial.set_user_attr(_MEASURES, measures)
        _LOG.info(
            "%s %d/%d %s: %s",
            *(self.method, len(self._evaluated(shared)) + 1, self.num_trials, name),
            ", ".join(f"{measure} {value:.4g}" for measure, value in measures.items()),
        )
        return next(iter(measures.values())), *costs

    def _evaluated(self, shared: SharedStudy) -> dict[str, FrozenTrial]:
        """Trials of evaluated candidates by name; those of a random search in its order."""
        found = shared.finished()
        if self.method == "random":
            return {name: found[name] for name in self._sequence if name in found}
        return found

    def _found(self, trial: FrozenTrial) -> Found[C]:
        name = trial.user_attrs[NAME]
        random = self.method == "random"
        candidate = self._sequence[name] if random else self.problem.decode(trial.params)
        return Found(name, candidate, trial.user_attrs[_MEASURES], tuple(trial.values[1:]))
