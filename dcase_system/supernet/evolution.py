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
from dcase_system.journal import one_worker, open_study
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
_EXCESS, _NAME, _WORKER = "excess", "ratios", "worker"  # attributes of a trial
_MOST_PROPOSALS = 40  # a scored sub-network: repetitions and those outside the budget are free


def evolve(
    space: SearchSpace,
    budget: Budget,
    score: Score,
    *,
    scored: str,
    storage: Path,
    evaluations: int,
    population: int = 20,
    seed: int = 0,
    worker: int = 0,
) -> list[Candidate]:
    """Scores sub-networks until the storage holds `evaluations` of them; all of it, best first.

    The storage is a journal file: an interrupted search goes on with it, and several processes, or
    machines that see the file, search together when each has a `worker` number of its own.
    A sub-network outside the budget is not scored, nor is one scored twice.

    Args:
        space: sub-networks.
        budget: what they may cost; within it the cost is to be low and the score high.
        score: of a sub-network.
        scored: names what decides the scores, such as the supernet's key and the clips'.
        storage: the journal file, made if absent.
        evaluations: sub-networks scored, in all.
        population: of a generation.
        seed: of the search.
        worker: number of this process. The sub-network at which a process of this number was killed
            is taken up first.

    Raises:
        InputError: the storage belongs to another search, is no journal, or nothing is within the
            budget, or another process with this number is at work.
    """
    with one_worker(storage, worker):
        # Measuring the latency of a whole space would take hours.
        most = space.size if budget.measure == "latency" else reachable(space, budget)
        search = fingerprint([space.key, str(budget), budget.precision, scored])
        study = open_study(
            storage,
            _STUDY,
            search,
            ["maximize", "minimize"],
            "this search space, budget and supernet",
        )
        study.sampler = optuna.samplers.NSGAIISampler(
            population_size=population,
            seed=derive(seed, worker, len(study.trials)),
        )
        distributions = _distributions(space)
        for _ in range(_MOST_PROPOSALS * evaluations):
            known = _scored(study)
            if len(known) >= min(evaluations, most):
                break
            left = _left_behind(study, worker)
            trial = left or study.ask(distributions)
            ratios = _ratios(space, trial.params)
            name, spec = ratios_name(ratios), space.spec(ratios)
            seen = known.get(name)
            cost = seen.values[1] if seen else budget.cost(spec)
            excess = budget.excess(cost)
            if isinstance(trial, optuna.Trial):
                trial.set_constraint("budget", excess)
                trial.set_user_attr(_EXCESS, excess)
                trial.set_user_attr(_NAME, name)
                # Last: a trial without a worker was killed before all that, and is nobody's.
                trial.set_user_attr(_WORKER, worker)
            value = seen.values[0] if seen else 0.0 if excess else score(spec)
            study.tell(trial.number, (value, cost))
    found = [
        candidate(space, _ratios(space, trial.params), trial.values[1], trial.values[0])
        for trial in _scored(study).values()
    ]
    if not found:
        raise _nothing(space, budget, study)
    if len(found) < evaluations:
        _LOG.info("%d sub-networks found where %d were wanted", len(found), evaluations)
    return sorted(found, key=lambda one: -one.score)


def _left_behind(study: optuna.Study, worker: int) -> FrozenTrial | None:
    """The sub-network that a process of this number was killed at."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    mine = [trial for trial in running if trial.user_attrs.get(_WORKER) == worker]
    return mine[0] if mine else None


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
