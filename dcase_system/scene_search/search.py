"""The search: random as in the paper, or NSGA-II, over candidates that are trained one by one.

The trials lie in a journal or a database that processes and machines share. A trial that a killed
process has left is taken up by whoever asks next, so that no candidate is lost or trained twice.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from dcase_system.files import fingerprint
from dcase_system.models.scene_cnn import MODULES
from dcase_system.scene_search.costs import costs_of
from dcase_system.scene_search.space import POOLS, Architecture, Block, SceneSpace
from dcase_system.storage.shared import SharedStudy, joined
from dcase_system.training.seeds import derive

_LOG = logging.getLogger(__name__)
Method = Literal["random", "nsga2"]
_NAME, _EXCESS = "architecture", "excess"  # attributes of a trial
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
class _Proposal:
    """What a trial is about.

    Attributes:
        architecture: None beyond the last candidate, or where a kill cut the draw short.
        excess: how far it is outside of the window, in parameters; 0 within.
        repeated: whether another trial has it, trained or being trained.
    """

    architecture: Architecture | None
    excess: float = 0.0
    repeated: bool = False


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

    def run(self, evaluate: Evaluate, worker: int | None = 0) -> list[Candidate]:
        """Trains candidates until the storage holds enough; all of it, best first.

        Args:
            evaluate: trains and scores a candidate.
            worker: number of this process, another one for each that is at work; see `joined`.

        Raises:
            InputError: nothing falls into the size window, or see `joined`.
        """
        self.space.check()
        key = fingerprint([self.space.key, self.method, self.scored, self.seed])
        directions: list[Literal["maximize", "minimize"]] = ["maximize", "minimize", "minimize"]
        expected = "this search space, method, seed, and these clips and trainings"
        with joined(self.storage, self.method, key, directions, expected, worker) as shared:
            study = shared.study
            study.sampler = optuna.samplers.NSGAIISampler(
                population_size=self.population,
                seed=derive(self.seed, "sampler", shared.worker, len(study.trials)),
            )
            self._search(shared, evaluate)
            found = [self._candidate(study, trial) for trial in _trained(study).values()]
        return sorted(found, key=_by_accuracy)

    def _search(self, shared: SharedStudy, evaluate: Evaluate) -> None:
        decided = _distributions(self.space) if self.method == "nsga2" else {}
        proposals, may_ask = 0, True
        while turn := shared.next_trial(
            decided,
            lambda: self.evaluations - len(_trained(shared.study)),
            lambda trial: self._propose(shared, trial),
            may_ask=may_ask and proposals < _MOST_PROPOSALS * self.evaluations,
        ):
            trial, proposal = turn
            proposals += 1
            if proposal.architecture is None:
                shared.tell(trial.number, None)
                may_ask = may_ask and self.method == "nsga2"  # beyond the last of the sequence
            elif proposal.excess:
                costs = costs_of(self.space.spec(proposal.architecture))
                shared.tell(trial.number, (0.0, costs.params, costs.macs))
            elif proposal.repeated:
                shared.tell(trial.number, None)
            else:
                self._train(shared, trial.number, proposal.architecture, evaluate)
        if len(_trained(shared.study)) < self.evaluations:
            _LOG.info("the size window holds no more candidates")

    def _propose(self, shared: SharedStudy, trial: optuna.Trial) -> _Proposal:
        """What a trial is about, written down in it."""
        architecture = self._architecture(trial)
        if architecture is None:
            return _Proposal(None)
        excess = self._excess(architecture)
        trial.set_constraint("window", excess)
        trial.set_user_attr(_EXCESS, excess)
        others = shared.of_others(_NAME, trial)
        repeated = architecture.name in _trained(shared.study) or architecture.name in others
        if not repeated:
            trial.set_user_attr(_NAME, architecture.name)
        return _Proposal(architecture, excess, repeated)

    def _train(
        self, shared: SharedStudy, number: int, architecture: Architecture, evaluate: Evaluate
    ) -> None:
        costs = costs_of(self.space.spec(architecture))
        score = evaluate(architecture)
        values = (score.clip_accuracy, costs.params, costs.macs)
        shared.tell(number, values, **{_scores_of(architecture.name): asdict(score)})
        _LOG.info(
            "%s %d/%d %s: %.1f %%, loss %.3f, %s parameters",
            self.method,
            len(_trained(shared.study)),
            self.evaluations,
            architecture.name,
            score.clip_accuracy,
            score.loss,
            f"{costs.params:,}",
        )

    def _architecture(self, trial: Any) -> Architecture | None:
        """What a trial is about; None beyond the last candidate, or killed while it was drawn."""
        if self.method == "random":
            # The candidates are a fixed sequence and trials are numbered across processes.
            drawn, further = self._sequence
            drawn += islice(further, max(0, trial.number + 1 - len(drawn)))
            return drawn[trial.number] if trial.number < len(drawn) else None
        whole = trial.params.keys() == _distributions(self.space).keys()
        return _decoded(trial.params) if whole else None

    @cached_property
    def _sequence(self) -> tuple[list[Architecture], Iterator[Architecture]]:
        """The random candidates that were drawn, and those that follow."""
        return [], self.space.candidates(self.seed)

    def _excess(self, architecture: Architecture) -> float:
        """How far a candidate is outside of the window, in parameters; 0 within."""
        if self.space.admits(architecture):
            return 0.0
        params, (low, high) = self.space.counted_params(architecture), self.space.window.params
        return max(low - params, params - high, 1.0)

    def _candidate(self, study: optuna.Study, trial: FrozenTrial) -> Candidate:
        architecture = self._architecture(trial)
        assert architecture is not None
        costs = costs_of(self.space.spec(architecture))
        score = CandidateScore(**study.user_attrs[_scores_of(architecture.name)])
        return Candidate(architecture.name, architecture, costs.params, costs.macs, score)


def _trained(study: optuna.Study) -> dict[str, FrozenTrial]:
    """The trials whose candidates were trained, by name."""
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return {trial.user_attrs[_NAME]: trial for trial in finished if not trial.user_attrs[_EXCESS]}


def _scores_of(name: str) -> str:
    return f"scores of {name}"


def _distributions(space: SceneSpace) -> dict[str, BaseDistribution]:
    """What is decided; the choices for blocks that are left out do not matter."""
    decided: dict[str, BaseDistribution] = {
        "blocks": CategoricalDistribution(space.block_counts),
        "stem": CategoricalDistribution(space.stems),
        "growth": CategoricalDistribution(space.growths),
    }
    for block in range(max(space.block_counts)):
        decided[f"first{block}"] = CategoricalDistribution((0, *MODULES))
        decided[f"second{block}"] = CategoricalDistribution(tuple(MODULES))
        decided[f"pool{block}"] = CategoricalDistribution(POOLS)
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
