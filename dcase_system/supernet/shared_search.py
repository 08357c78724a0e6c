"""Searches of a space in a storage that processes share: the paper's random one, or NSGA-II.

The search of Lin et al. is random; NSGA-II keeps what it has learnt from the candidates before. An
interrupted search goes on with its storage. A sub-network outside the budget is not scored, nor is
one scored twice; one at which a process was killed is taken up by whoever asks next.
"""

import logging
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from dcase_system.errors import InputError
from dcase_system.files import fingerprint
from dcase_system.storage.shared import SharedStudy, joined
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
from dcase_system.training.seeds import derive

_LOG = logging.getLogger(__name__)
Method = Literal["random", "evolution"]
_EXCESS, _NAME = "excess", "ratios"  # attributes of a trial
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

    def run(self, score: Score, worker: int | None = 0) -> list[Candidate]:
        """Scores sub-networks until the storage holds enough of them; all of it, best first.

        Args:
            score: of a sub-network.
            worker: number of this process, another one for each that is at work; see `joined`.

        Raises:
            InputError: nothing is within the budget, or see `joined`.
        """
        search = fingerprint(
            [
                *(self.space.key, str(self.budget), self.budget.precision),
                *(self.method, self.seed, self.scored),
            ]
        )
        wanted = min(self.evaluations, self._most)
        expected = "this search space, budget, method, seed and supernet"
        directions: list[Literal["maximize", "minimize"]] = ["maximize", "minimize"]
        with joined(self.storage, self.name, search, directions, expected, worker) as shared:
            study = shared.study
            study.sampler = optuna.samplers.NSGAIISampler(
                population_size=self.population,
                seed=derive(self.seed, "sampler", shared.worker, len(study.trials)),
            )
            self._search(shared, score, wanted)
            found = [self._candidate(trial) for trial in _scored(study).values()]
            if not found:
                raise self._nothing(study)
        if len(found) < self.evaluations:
            _LOG.info("%d sub-networks found where %d were wanted", len(found), self.evaluations)
        return sorted(found, key=lambda one: -one.score)

    @cached_property
    def _draws(self) -> list[Ratios]:
        """What trial k of a random search is about: trials are numbered across processes."""
        drawn = draws_within(self.space, self.budget, self.seed)
        return [ratios for ratios, _ in islice(drawn, self.evaluations)]

    @property
    def _most(self) -> int:
        """Sub-networks that there are, as far as that is known."""
        if self.method == "random":
            return len(self._draws)
        # Measuring the latency of a whole space would take hours.
        measured = self.budget.measure == "latency"
        return self.space.size if measured else reachable(self.space, self.budget)

    def _search(self, shared: SharedStudy, score: Score, wanted: int) -> None:
        """Scores sub-networks until so many are."""
        distributions = _distributions(self.space) if self.method == "evolution" else {}

        def missing() -> int:
            return wanted - len(_scored(shared.study))

        def propose(trial: optuna.Trial) -> tuple[Ratios, bool] | None:
            """The sub-network, and whether another process is at it; None if there is none."""
            ratios = self._ratios(trial)
            if ratios is None:
                return None
            taken = ratios_name(ratios) in shared.of_others(_NAME, trial)
            if not taken:
                trial.set_user_attr(_NAME, ratios_name(ratios))
            return ratios, taken

        proposals = 0
        while turn := shared.next_trial(
            distributions, missing, propose, may_ask=proposals < _MOST_PROPOSALS * wanted
        ):
            trial, proposal = turn
            proposals += 1
            if proposal is None or proposal[1]:
                shared.tell(trial.number, None)
            else:
                self._score(shared, trial, proposal[0], score)

    def _score(
        self, shared: SharedStudy, trial: optuna.Trial, ratios: Ratios, score: Score
    ) -> None:
        spec = self.space.spec(ratios)
        seen = _scored(shared.study).get(ratios_name(ratios))
        cost = seen.values[1] if seen else self.budget.cost(spec)
        excess = self.budget.excess(cost)
        trial.set_constraint("budget", excess)
        trial.set_user_attr(_EXCESS, excess)
        value = seen.values[0] if seen else 0.0 if excess else score(spec)
        shared.tell(trial.number, (value, cost))

    def _ratios(self, trial: optuna.Trial | FrozenTrial) -> Ratios | None:
        """What a trial is about; None beyond the last draw, or where a kill cut the draw short."""
        if self.method == "random":
            return self._draws[trial.number] if trial.number < len(self._draws) else None
        whole = trial.params.keys() == _distributions(self.space).keys()
        return _decoded(self.space, trial.params) if whole else None

    def _candidate(self, trial: FrozenTrial) -> Candidate:
        ratios = self._ratios(trial)
        assert ratios is not None
        value, cost = trial.values
        return candidate(self.space, ratios, cost, value)

    def _nothing(self, study: optuna.Study) -> InputError:
        """The error where every sub-network that was looked at is outside the budget."""
        finished = study.get_trials(states=(TrialState.COMPLETE,))
        if not finished:
            return unreachable(self.budget, None)
        nearest = min(finished, key=lambda trial: trial.user_attrs[_EXCESS])
        ratios = self._ratios(nearest)
        assert ratios is not None
        return unreachable(self.budget, (ratios, nearest.values[1]))


def _scored(study: optuna.Study) -> dict[str, FrozenTrial]:
    """The first finished trial of each sub-network within the budget, by its name."""
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    first: dict[str, FrozenTrial] = {}
    for trial in finished:
        if not trial.user_attrs[_EXCESS]:
            first.setdefault(trial.user_attrs[_NAME], trial)
    return first


def _distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """What is decided: a depth for each block, and a ratio for each block or layer."""
    decided: dict[str, BaseDistribution] = {}
    for block, depths in enumerate(space.depths):
        if len(depths) > 1:
            decided[f"depth{block}"] = CategoricalDistribution(depths)
        for layer in range(1 if space.width_per == "block" else depths[-1]):
            decided[f"ratio{block}_{layer}"] = CategoricalDistribution(space.ratios)
    return decided


def _decoded(space: SearchSpace, decided: dict[str, Any]) -> Ratios:
    """The sub-network of these decisions; ratios of layers that are left out do not matter."""
    ratios = []
    for block, depths in enumerate(space.depths):
        depth = decided.get(f"depth{block}", depths[0])
        of_layer = [0 if space.width_per == "block" else layer for layer in range(depth)]
        ratios.append(tuple(decided[f"ratio{block}_{layer}"] for layer in of_layer))
    return tuple(ratios)
