"""NSGA-II over a search space: score against cost, in a storage that several processes share.

The search of Lin et al. is random; this one keeps what it has learnt from the candidates before.
"""

import logging
from pathlib import Path
from typing import Any

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
    reachable,
    unreachable,
)
from dcase_system.supernet.space import Ratios, SearchSpace, ratios_name
from dcase_system.training.seeds import derive

_LOG = logging.getLogger(__name__)
_STUDY = "supernet"
_EXCESS, _NAME = "excess", "ratios"  # attributes of a trial
_MOST_PROPOSALS = 40  # a scored sub-network: repetitions and those outside the budget are free


def evolve(
    space: SearchSpace,
    budget: Budget,
    score: Score,
    *,
    scored: str,
    storage: str | Path,
    evaluations: int,
    population: int = 20,
    seed: int = 0,
    worker: int = 0,
) -> list[Candidate]:
    """Scores sub-networks until the storage holds `evaluations` of them; all of it, best first.

    An interrupted search goes on with its storage, and processes that share one, on several
    machines too, search together when each has a `worker` number of its own. A sub-network outside
    the budget is not scored, nor is one scored twice; one at which a process was killed is taken up
    by whoever asks next.

    Args:
        space: sub-networks.
        budget: what they may cost; within it the cost is to be low and the score high.
        score: of a sub-network.
        scored: names what decides the scores, such as the supernet's key and the clips'.
        storage: a journal file, made if absent, or `postgresql://user@host/database`.
        evaluations: sub-networks scored, in all.
        population: of a generation.
        seed: of the search.
        worker: number of this process.

    Raises:
        InputError: nothing is within the budget, or see `joined`.
    """
    # Measuring the latency of a whole space would take hours.
    most = space.size if budget.measure == "latency" else reachable(space, budget)
    search = fingerprint([space.key, str(budget), budget.precision, scored])
    expected = "this search space, budget and supernet"
    with joined(storage, _STUDY, search, ["maximize", "minimize"], expected, worker) as shared:
        study = shared.study
        study.sampler = optuna.samplers.NSGAIISampler(
            population_size=population,
            seed=derive(seed, worker, len(study.trials)),
        )
        _search(shared, space, budget, score, min(evaluations, most))
        found = [
            candidate(space, _ratios(space, trial.params), trial.values[1], trial.values[0])
            for trial in _scored(study).values()
        ]
        if not found:
            raise _nothing(space, budget, study)
    if len(found) < evaluations:
        _LOG.info("%d sub-networks found where %d were wanted", len(found), evaluations)
    return sorted(found, key=lambda one: -one.score)


def _search(
    shared: SharedStudy, space: SearchSpace, budget: Budget, score: Score, wanted: int
) -> None:
    """Scores sub-networks until so many are."""
    distributions = _distributions(space)

    def missing() -> int:
        return wanted - len(_scored(shared.study))

    def propose(trial: optuna.Trial) -> tuple[Ratios, bool] | None:
        """The sub-network, and whether another process is at it; None if a kill cut the draw."""
        if trial.params.keys() != distributions.keys():
            return None
        ratios = _ratios(space, trial.params)
        others = {t.user_attrs.get(_NAME) for t in shared.running() if t.number != trial.number}
        taken = ratios_name(ratios) in others
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
            continue
        spec = space.spec(proposal[0])
        seen = _scored(shared.study).get(ratios_name(proposal[0]))
        cost = seen.values[1] if seen else budget.cost(spec)
        excess = budget.excess(cost)
        trial.set_constraint("budget", excess)
        trial.set_user_attr(_EXCESS, excess)
        value = seen.values[0] if seen else 0.0 if excess else score(spec)
        shared.tell(trial.number, (value, cost))


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


def _ratios(space: SearchSpace, decided: dict[str, Any]) -> Ratios:
    """The sub-network of these decisions; ratios of layers that are left out do not matter."""
    ratios = []
    for block, depths in enumerate(space.depths):
        depth = decided.get(f"depth{block}", depths[0])
        of_layer = [0 if space.width_per == "block" else layer for layer in range(depth)]
        ratios.append(tuple(decided[f"ratio{block}_{layer}"] for layer in of_layer))
    return tuple(ratios)


def _nothing(space: SearchSpace, budget: Budget, study: optuna.Study) -> InputError:
    """The error where every sub-network that was looked at is outside the budget."""
    finished = study.get_trials(states=(TrialState.COMPLETE,))
    if not finished:
        return unreachable(budget, None)
    nearest = min(finished, key=lambda trial: trial.user_attrs[_EXCESS])
    return unreachable(budget, (_ratios(space, nearest.params), nearest.values[1]))
