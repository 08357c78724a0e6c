"""Searches of a space in a storage that processes share: the paper's random one, or NSGA-II.

The search of Lin et al. is random; NSGA-II keeps what it has learnt from the candidates before. An
interrupted search goes on with its storage. A sub-network outside the budget is not scored, nor is
one scored twice; one at which a process was killed is scored by another one.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint
from dcase_system.search.sampling import nsga2_sampler
from dcase_system.search.shared import NAME, SharedStudy, joined
from dcase_system.supernet.search import (
    Budget,
    Candidate,
    Score,
    candidate,
    draws_within,
    reachable,
    unreachable,
)
from dcase_system.supernet.space import Ratios, SearchSpace, ratios_name

_LOG = logging.getLogger(__name__)
Method = Literal["random", "evolution"]
_EXCESS = "excess"  # attribute of a trial: how far it is outside of the budget
_MOST_PROPOSALS = 40  # a scored sub-network: repetitions and those outside the budget are free


@dataclass(frozen=True)
class SharedSearch:
    """What is searched, and how.

    Attributes:
        space: sub-networks.
        budget: what they may cost; for NSGA-II the cost is to be low within it, too.
        method: `random`: fair draws within the budget, in an order that the seed decides;
            `evolution`: NSGA-II of score against cost.
        scored: names what decides the scores, such as the supernet's key and the clips'.
        storage: a journal file, made if absent, or `postgresql://user@host/database`.
        evaluations: sub-networks scored, in all.
        name: of the search; a storage may hold several.
        population: of a generation of NSGA-II.
        seed: of the search.

    Raises:
        InputError: random draws within a budget of latency, which each process measures anew.
    """

    space: SearchSpace
    budget: Budget
    method: Method
    scored: str
    storage: str | Path
    evaluations: int
    name: str = "supernet"
    population: int = 20
    seed: int = 0

    def __post_init__(self):
        if self.method == "random" and self.budget.measure == "latency":
            raise InputError(
                "processes that share draws would not agree on a measured cost",
                where="search",
                expected="a budget of params, macs or bytes, or evolution",
                received="latency",
            )

    def run(self, score: Score, *, helps: bool = False) -> list[Candidate]:
        """Scores sub-networks until the storage holds enough of them; all of it, best first.

        Args:
            score: of a sub-network.
            helps: whether another process has begun the search; NSGA-II then draws otherwise.

        Raises:
            InputError: nothing is within the budget, or see `joined`.
        """
        search = fingerprint(
            [
                *(self.space.key, str(self.budget), self.budget.precision),
                *(self.method, self.seed, self.scored),
            ]
        )
        expected = "this search space, budget, method, seed and supernet"
        directions: list[Literal["maximize", "minimize"]] = ["maximize", "minimize"]

        def sampler(trials: int) -> optuna.samplers.BaseSampler:
            return nsga2_sampler(self.population, self.seed, trials, helps=helps)

        with joined(self.storage, self.name, search, directions, expected, sampler) as shared:
            if self.method == "random":
                shared.search_list(
                    list(self._draws),
                    lambda trial, name: self._score(shared, trial, self._draws[name], score),
                )
            else:
                self._search_nsga2(shared, score)
            found = [self._candidate(trial) for trial in self._scored(shared).values()]
            if not found:
                raise self._nothing(shared)
        if len(found) < self.evaluations:
            _LOG.info("%d sub-networks found where %d were wanted", len(found), self.evaluations)
        return sorted(found, key=lambda one: -one.score)

    @cached_property
    def _draws(self) -> dict[str, Ratios]:
        """The sub-networks of a random search, by name, in the order of the new trials."""
        drawn = islice(draws_within(self.space, self.budget, self.seed), self.evaluations)
        return {ratios_name(ratios): ratios for ratios, _ in drawn}

    def _search_nsga2(self, shared: SharedStudy, score: Score) -> None:
        # Measuring the latency of a whole space would take hours.
        measured = self.budget.measure == "latency"
        most = self.space.size if measured else reachable(self.space, self.budget)
        wanted = min(self.evaluations, most)
        choices, asked = _choices(self.space), list[int]()

        def run(trial: optuna.Trial) -> Sequence[float]:
            asked.append(trial.number)
            ratios = _decoded(
                self.space,
                {name: trial.suggest_categorical(name, given) for name, given in choices.items()},
            )
            seen = self._scored(shared).get(ratios_name(ratios))
            cost = seen.values[1] if seen else self.budget.cost(self.space.spec(ratios))
            excess = self.budget.excess(cost)
            trial.set_constraint("budget", excess)
            trial.set_user_attr(_EXCESS, excess)
            if seen:
                return seen.values
            return (0.0, cost) if excess else self._score(shared, trial, ratios, score)

        shared.search(
            lambda: wanted - len(self._scored(shared)),
            run,
            may_ask=lambda: len(asked) < _MOST_PROPOSALS * wanted,
        )

    def _score(
        self, shared: SharedStudy, trial: optuna.Trial, ratios: Ratios, score: Score
    ) -> Sequence[float]:
        shared.claim(trial, ratios_name(ratios))
        spec = self.space.spec(ratios)
        return score(spec), self.budget.cost(spec)

    def _scored(self, shared: SharedStudy) -> dict[str, FrozenTrial]:
        """The trials of the sub-networks that were scored, by name."""
        found = shared.finished()
        if self.method == "random":
            return {name: trial for name, trial in found.items() if name in self._draws}
        return found

    def _candidate(self, trial: FrozenTrial) -> Candidate:
        random = self.method == "random"
        ratios = (
            self._draws[trial.user_attrs[NAME]] if random else _decoded(self.space, trial.params)
        )
        value, cost = trial.values
        return candidate(self.space, ratios, cost, value)

    def _nothing(self, shared: SharedStudy) -> InputError:
        """The error where every sub-network that was looked at is outside the budget."""
        finished = shared.trials(TrialState.COMPLETE)
        if not finished:
            return unreachable(self.budget, None)
        nearest = min(finished, key=lambda trial: trial.user_attrs[_EXCESS])
        ratios = _decoded(self.space, nearest.params)
        return unreachable(self.budget, (ratios, nearest.values[1]))


def _choices(space: SearchSpace) -> dict[str, Sequence[Any]]:
    """What is decided: a depth for each block, and a ratio for each block or layer."""
    decided: dict[str, Sequence[Any]] = {}
    for block, depths in enumerate(space.depths):
        if len(depths) > 1:
            decided[f"depth{block}"] = depths
        for layer in range(1 if space.width_per == "block" else depths[-1]):
            decided[f"ratio{block}_{layer}"] = space.ratios
    return decided


def _decoded(space: SearchSpace, decided: dict[str, Any]) -> Ratios:
    """The sub-network of these decisions; ratios of layers that are left out do not matter."""
    ratios = []
    for block, depths in enumerate(space.depths):
        depth = decided.get(f"depth{block}", depths[0])
        of_layer = [0 if space.width_per == "block" else layer for layer in range(depth)]
        ratios.append(tuple(decided[f"ratio{block}_{layer}"] for layer in of_layer))
    return tuple(ratios)
