"""The ways to a network within a budget, as stages of one run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dcase_system.audio.clips import Data
from dcase_system.audio.front_ends import front_end
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.challenge.student.plan import Step, StudentPlan
from dcase_system.challenge.student.setup import StageSetup
from dcase_system.challenge.student.train import train_step
from dcase_system.core.errors import InputError
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.models import registry
from dcase_system.models.cp_mobile import CPMobileSpec
from dcase_system.models.stored import SPEC, load_network
from dcase_system.pruning.rounds import Round
from dcase_system.supernet.budgets import Budgets
from dcase_system.supernet.mobile_search import MobileProblem
from dcase_system.supernet.mobile_space import MobileSpace
from dcase_system.three_ways.depthwise import random_depthwise
from dcase_system.three_ways.elastic_student import train_supernet
from dcase_system.three_ways.plan import LEAST_SHARE, ThreeWaysPlan, budget_name
from dcase_system.three_ways.processor_time import ProcessorTime
from dcase_system.three_ways.sub_networks import SupernetSearch
from dcase_system.training.augmented import waveform_model
from dcase_system.training.plan import held_out_rows
from dcase_system.training.predict import predict, score_logits
from dcase_system.training.seeds import derive

Way = Literal["dense", "pruned", "inherited", "tuned", "random"]
_WIDTH_STEPS = 256  # ratios tried for a network of one ratio


@dataclass(frozen=True)
class Made:
    """A network that a way has made, and the folders of all stages it took.

    Attributes:
        network: Folder of the network.
        stages: Folders of the stages, some of which serve other budgets too.
    """

    network: Path
    stages: tuple[Path, ...]


@dataclass(frozen=True)
class Ways:
    """All ways of one repetition; a finished stage is not repeated.

    Attributes:
        run_dir: Folder of the repetition.
        plan: Settings.
        seed: Seed of the repetition.
        data: Clips.
        ensemble: Teachers of all trainings, or None.
        impulse_responses: Responses for device augmentation, if the plan uses it.
        clock: Processor time of the run.
    """

    run_dir: Path
    plan: ThreeWaysPlan
    seed: int
    data: Data
    ensemble: Ensemble | None
    impulse_responses: ImpulseResponses | None
    clock: ProcessorTime

    def made(self, way: Way, macs: int) -> Made:
        """Makes a network within a budget.

        Raises:
            InputError: Training diverges, or no network of this way is within the budget.
        """
        makers: dict[Way, Callable[[int], Made]] = {
            "dense": self._dense,
            "pruned": self._pruned,
            "inherited": self._inherited,
            "tuned": self._tuned,
            "random": self._random,
        }
        if (way, macs) not in self._made:
            self._made[way, macs] = makers[way](macs)
        return self._made[way, macs]

    @cached_property
    def _made(self) -> dict[tuple[Way, int], Made]:
        return {}

    def check(self) -> None:
        """Rejects budgets that a way cannot meet, before any training.

        Raises:
            InputError: No network of a way is within a budget.
        """
        for macs in self.plan.budgets:
            uniform_spec(self.space.base, self.plan.limits(macs))
            MobileProblem(self.space, self.plan.limits(macs, LEAST_SHARE)).size()
            if self.plan.candidates:
                next(self._candidates(macs))

    @cached_property
    def space(self) -> MobileSpace:
        """Sub-networks of the supernet."""
        plan, samples = self.plan, self.data.train.audio.shape[0]
        base = registry.for_clips(
            registry.named_spec(f"sscp_mobile_{plan.base_channels}"),
            len(self.data.scenes),
            plan.student.front_end.frames(samples),
        )
        return MobileSpace(base, plan.ratios, plan.spread, plan.elastic_depth)

    @cached_property
    def search(self) -> SupernetSearch:
        """Search of the supernet, which is trained first."""
        plan = self.plan
        return SupernetSearch(
            self.run_dir,
            self._supernet,
            self.space,
            plan.student,
            self.data,
            plan.calibration_clips,
            plan.num_trials,
        )

    def alone(self, name: str, spec: Any) -> Path:
        """Trains a network alone, from random weights, for all epochs."""
        return self._step(name, spec, self.plan.student.epochs)

    def held_out_score(self, folder: Path) -> float:
        """Score of a stored network on the held-out clips, see `score_logits`."""
        student, train = self.plan.student, self.data.train
        rows = np.flatnonzero(held_out_rows(train.clips, student.validation_fraction))
        front, samples = front_end(student.front_end), train.audio.shape[0]
        model = waveform_model(load_network(folder), front, samples)
        logits = predict(model, train.audio.take(rows))
        return next(iter(score_logits(logits, train.clips.labels[rows]).values()))

    @cached_property
    def _wide(self) -> Path:
        epochs = self.plan.pruned(max(self.plan.budgets)).epochs
        return self._step("wide", self.space.base, epochs)

    @cached_property
    def _supernet(self) -> Path:
        wide, folder = self._wide, self.run_dir / "supernet"
        student = self._student("supernet", self.plan.supernet_epochs)
        setup = StageSetup(
            self.run_dir,
            Step(folder.name, student.epochs),
            student,
            self.data,
            self.ensemble,
            self.impulse_responses,
        )
        with self.clock.of(folder):
            train_supernet(
                setup, self.space, self.plan.sampling, wide, ordered=self.plan.sorted_channels
            )
        return folder

    def _dense(self, macs: int) -> Made:
        spec = uniform_spec(self.space.base, self.plan.limits(macs))
        folder = self.alone(f"dense_{budget_name(macs)}", spec)
        return Made(folder, (folder,))

    def _pruned(self, macs: int) -> Made:
        (pruning,), name = self.plan.pruned(macs).rounds, budget_name(macs)
        base = self.space.base
        pruned = self._step(
            f"pruned_{name}", base, pruning.epochs, pruning=pruning, previous=self._wide
        )
        spec = registry.read_spec(pruned / SPEC)
        tuned = self._step(f"pruned_{name}_tuned", spec, pruning.tuning_epochs, previous=pruned)
        return Made(tuned, (self._wide, pruned, tuned))

    def _inherited(self, macs: int) -> Made:
        name, search = budget_name(macs), self.search
        folder = self.run_dir / f"search_{name}"
        with self.clock.of(folder):
            seed = derive(self.seed, "sub-networks")
            best, *_ = search.search(folder.name, self.plan.limits(macs, LEAST_SHARE), seed)
        cut = self.run_dir / f"inherited_{name}"
        with self.clock.of(cut):
            search.cut(cut.name, best)
        return Made(cut, (self._wide, self._supernet, folder, cut))

    def _tuned(self, macs: int) -> Made:
        inherited = self.made("inherited", macs)
        spec = registry.read_spec(inherited.network / SPEC)
        tuned = self._step(
            f"tuned_{budget_name(macs)}",
            spec,
            self.plan.tuning_epochs,
            previous=inherited.network,
        )
        return Made(tuned, (*inherited.stages, tuned))

    def _random(self, macs: int) -> Made:
        plan, name = self.plan, budget_name(macs)
        tried = {
            folder: spec
            for index, spec in enumerate(islice(self._candidates(macs), plan.candidates))
            for folder in [self._step(f"candidate_{name}_{index}", spec, plan.candidate_epochs)]
        }
        best = max(tried, key=self.held_out_score)
        folder = self.alone(f"random_{name}", tried[best])
        return Made(folder, (*tried, folder))

    def _candidates(self, macs: int) -> Iterator[Any]:
        limits, seed = self.plan.limits(macs, LEAST_SHARE), derive(self.seed, "depthwise CNNs")
        base = self.space.base
        return random_depthwise(limits, base.classes, base.input_shape, seed)

    def _student(self, name: str, epochs: int) -> StudentPlan:
        seed = self.seed if name == "wide" else derive(self.seed, name)
        return replace(self.plan.student, epochs=epochs, seed=seed, rounds=())

    def _step(
        self,
        name: str,
        spec: Any,
        epochs: int,
        *,
        pruning: Round | None = None,
        previous: Path | None = None,
    ) -> Path:
        """Runs a training stage in the folder of its name, which it returns."""
        folder = self.run_dir / name
        with self.clock.of(folder):
            train_step(
                self.run_dir,
                Step(name, epochs, pruning),
                self._student(name, epochs),
                spec,
                self.data,
                self.ensemble,
                self.impulse_responses,
                previous=previous,
            )
        return folder


def uniform_spec(base: CPMobileSpec, budgets: Budgets) -> CPMobileSpec:
    """Returns the widest network of one width ratio within budgets, without leaving out blocks.

    Raises:
        InputError: No ratio meets them.
    """
    spec = base
    for step in range(_WIDTH_STEPS, 0, -1):
        if step < _WIDTH_STEPS:
            spec = MobileSpace(base, (step / _WIDTH_STEPS, 1.0), elastic_depth=False).smallest
        if budgets.excess(spec) == 0:
            return spec
    raise InputError("no network within the budget", where="three ways", expected=str(budgets))
