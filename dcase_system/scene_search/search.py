"""The search: random as in the paper, or NSGA-II, over candidates that are trained one by one.

The trials lie in a journal or a database that processes and machines share. A trial that a killed
process has left is run again by another one, so that no candidate is lost.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial

from dcase_system.core.files import fingerprint
from dcase_system.models.scene_cnn import MODULES
from dcase_system.scene_search.costs import costs_of
from dcase_system.scene_search.space import POOLS, Architecture, Block, SceneSpace
from dcase_system.search.sampling import nsga2_sampler
from dcase_system.search.shared import NAME, SharedStudy, joined

_LOG = logging.getLogger(__name__)
Method = Literal["random", "nsga2"]
_SCORE = "score"  # attribute of a trial
_MOST_PROPOSALS = 200  # a candidate: repetitions and those outside the window cost nothing


@dataclass(frozen=True)
class CandidateScore:
    """What candidates are chosen by, and their macro accuracy; see `training.SceneScore`.

    Attributes:
        clip_accuracy: share of the clips, in percent; what NSGA-II searches by.
        accuracy: mean over the classes, in percent.
        loss: binary cross-entropy, in nats.
    """

    clip_accuracy: float
    accuracy: float
    loss: float


Evaluate = Callable[[Architecture], CandidateScore]
"""Trains and scores a candidate."""


@dataclass(frozen=True)
class Candidate:
    """An architecture that was trained and scored.

    Attributes:
        name: of the architecture.
        architecture: which one.
        params: trainable parameters.
        macs: of one segment, by the official count.
        score: how well it did.
    """

    name: str
    architecture: Architecture
    params: int
    macs: int
    score: CandidateScore


@dataclass(frozen=True)
class Search:
    """What is searched, and how.

    Attributes:
        space: architectures.
        method: `random`: fair draws, those outside the size window drawn again; `nsga2`: NSGA-II of
            accuracy against parameters and MACs, those outside told to it and not trained.
        scored: names what decides the scores: clips, front end, training.
        storage: a journal file, made if absent, or `postgresql://user@host/database`; both methods
            may share one.
        evaluations: candidates that are trained, in all.
        population: of a generation of NSGA-II.
        seed: of the search.
    """

    space: SceneSpace
    method: Method
    scored: str
    storage: str | Path
    evaluations: int
    population: int = 10
    seed: int = 0

    def run(self, evaluate: Evaluate, *, helps: bool = False) -> list[Candidate]:
        """Trains candidates until the storage holds enough; all of it, best first.

        Args:
            evaluate: trains and scores a candidate.
            helps: whether another process has begun the search; NSGA-II then draws otherwise.

        Raises:
            InputError: nothing falls into the size window, or see `joined`.
        """
        self.space.check()
        key = fingerprint([self.space.key, self.method, self.scored, self.seed])
        directions: list[Literal["maximize", "minimize"]] = ["maximize", "minimize", "minimize"]
        expected = "this search space, method, seed, and these clips and trainings"

        def sampler(trials: int) -> optuna.samplers.BaseSampler:
            return nsga2_sampler(self.population, self.seed, trials, helps=helps)

        with joined(self.storage, self.method, key, directions, expected, sampler) as shared:
            if self.method == "random":
                shared.search_list(
                    list(self._sequence),
                    lambda trial, name: self._train(shared, trial, self._sequence[name], evaluate),
                )
            else:
                self._search_nsga2(shared, evaluate)
            trained = self._trained(shared)
            if len(trained) < self.evaluations:
                _LOG.info("the size window holds no more candidates")
            found = [self._candidate(trial) for trial in trained.values()]
        return sorted(found, key=_by_accuracy)

    @cached_property
    def _sequence(self) -> dict[str, Architecture]:
        """The candidates of a random search, by name, in the order of the new trials."""
        drawn = islice(self.space.candidates(self.seed), self.evaluations)
        return {architecture.name: architecture for architecture in drawn}

    def _search_nsga2(self, shared: SharedStudy, evaluate: Evaluate) -> None:
        choices, asked = _choices(self.space), list[int]()

        def run(trial: optuna.Trial) -> Sequence[float]:
            asked.append(trial.number)
            architecture = _decoded(
                {name: trial.suggest_categorical(name, given) for name, given in choices.items()}
            )
            excess = self._excess(architecture)
            trial.set_constraint("window", excess)
            if not excess:
                return self._train(shared, trial, architecture, evaluate)
            costs = costs_of(self.space.spec(architecture))
            return 0.0, costs.params, costs.macs

        shared.search(
            lambda: self.evaluations - len(self._trained(shared)),
            run,
            may_ask=lambda: len(asked) < _MOST_PROPOSALS * self.evaluations,
        )

    def _train(
        self,
        shared: SharedStudy,
        trial: optuna.Trial,
        architecture: Architecture,
        evaluate: Evaluate,
    ) -> Sequence[float]:
        shared.claim(trial, architecture.name)
        costs = costs_of(self.space.spec(architecture))
        score = evaluate(architecture)
        trial.set_user_attr(_SCORE, asdict(score))
        _LOG.info(
            "%s %d/%d %s: %.1f %%, loss %.3f, %s parameters",
            self.method,
            len(self._trained(shared)) + 1,
            self.evaluations,
            architecture.name,
            score.clip_accuracy,
            score.loss,
            f"{costs.params:,}",
        )
        return score.clip_accuracy, costs.params, costs.macs

    def _excess(self, architecture: Architecture) -> float:
        """How far a candidate is outside of the window, in parameters; 0 within."""
        if self.space.admits(architecture):
            return 0.0
        params, (low, high) = self.space.counted_params(architecture), self.space.window.params
        return max(low - params, params - high, 1.0)

    def _candidate(self, trial: FrozenTrial) -> Candidate:
        name = trial.user_attrs[NAME]
        architecture = self._sequence[name] if self.method == "random" else _decoded(trial.params)
        costs = costs_of(self.space.spec(architecture))
        score = CandidateScore(**trial.user_attrs[_SCORE])
        return Candidate(name, architecture, costs.params, costs.macs, score)

    def _trained(self, shared: SharedStudy) -> dict[str, FrozenTrial]:
        """The trials whose candidates were trained, by name."""
        found = shared.finished()
        if self.method == "random":
            return {name: trial for name, trial in found.items() if name in self._sequence}
        return found


def _choices(space: SceneSpace) -> dict[str, Sequence[Any]]:
    """What is decided; the choices for blocks that are left out do not matter."""
    decided: dict[str, Sequence[Any]] = {
        "blocks": space.block_counts,
        "stem": space.stems,
        "growth": space.growths,
    }
    for block in range(max(space.block_counts)):
        decided[f"first{block}"] = (0, *MODULES)
        decided[f"second{block}"] = tuple(MODULES)
        decided[f"pool{block}"] = POOLS
    return decided


def _decoded(decided: dict[str, Any]) -> Architecture:
    blocks: list[Block] = [
        (decided[f"first{block}"], decided[f"second{block}"], decided[f"pool{block}"])
        for block in range(decided["blocks"])
    ]
    return Architecture(tuple(blocks), decided["stem"], decided["growth"])


def chosen(candidates: Sequence[Candidate]) -> dict[str, Candidate]:
    """Model A, of the highest accuracy, and model B, of the lowest loss, as the paper names them.

    Of equal ones the other measure decides, then the name. Where one candidate is both, it is the
    only one, under the name `A and B`.
    """
    most_accurate, least_loss = min(candidates, key=_by_accuracy), min(candidates, key=_by_loss)
    if most_accurate == least_loss:
        return {"A and B": most_accurate}
    return {"A": most_accurate, "B": least_loss}


def _by_accuracy(one: Candidate) -> tuple[float, float, str]:
    return (-one.score.clip_accuracy, one.score.loss, one.name)


def _by_loss(one: Candidate) -> tuple[float, float, str]:
    return (one.score.loss, -one.score.clip_accuracy, one.name)


def front(candidates: Sequence[Candidate]) -> set[str]:
    """Names of those that no other beats in accuracy, parameters and MACs together."""

    def beats(one: Candidate, other: Candidate) -> bool:
        mine = (-one.score.clip_accuracy, one.params, one.macs)
        its = (-other.score.clip_accuracy, other.params, other.macs)
        return mine != its and all(a <= b for a, b in zip(mine, its, strict=True))

    return {b.name for b in candidates if not any(beats(a, b) for a in candidates)}
