"""Finds the best sub-network of a supernet for a budget, and cuts it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system.audio.clips import Data
from dcase_system.audio.front_ends import front_end
from dcase_system.audio.store import Waveforms
from dcase_system.challenge.student.plan import StudentPlan, signature_of
from dcase_system.core.files import fingerprint, read_json, write_json
from dcase_system.core.identity import identity
from dcase_system.models import registry
from dcase_system.models.cp_mobile import CPMobileSpec
from dcase_system.models.signature import save_signature
from dcase_system.models.stored import save_network
from dcase_system.runs import stages
from dcase_system.search.driver import Search
from dcase_system.supernet.budgets import Budgets
from dcase_system.supernet.calibration import SubNetworks, calibration_rows, kept_statistics
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.extract import extract
from dcase_system.supernet.mobile_search import MobileProblem
from dcase_system.supernet.mobile_space import MobileSpace
from dcase_system.supernet.scoring import (
    FeatureBatches,
    SubNetworkScorer,
    batched_macro_accuracy,
)
from dcase_system.three_ways.elastic_student import load_supernet
from dcase_system.training.plan import held_out_rows

_FOUND = "found.json"


@dataclass(frozen=True)
class SupernetSearch:
    """The sub-networks of a trained supernet, scored on the held-out locations.

    Attributes:
        run_dir: Run directory.
        supernet: Folder of the supernet's stage.
        space: Its sub-networks.
        student: Hyper-parameters of its training.
        data: Clips.
        calibration_clips: Training clips for the batch-norm statistics.
        num_trials: Sub-networks scored for each budget.
    """

    run_dir: Path
    supernet: Path
    space: MobileSpace
    student: StudentPlan
    data: Data
    calibration_clips: int
    num_trials: int

    def search(self, name: str, budgets: Budgets, seed: int) -> list[CPMobileSpec]:
        """Scores sub-networks within budgets; returns them, best first.

        Raises:
            InputError: No sub-network is within the budgets.
        """
        folder = self.run_dir / name
        problem = MobileProblem(self.space, budgets)
        inputs = {**self._inputs, "problem": problem.key, "draws": self.num_trials, "seed": seed}

        def work(target: Path) -> None:
            key = fingerprint([inputs, identity()])[:16]
            search = Search(
                problem,
                "random",
                scored=fingerprint(self._inputs),
                storage=self.run_dir / "journals" / f"{key}.journal",
                num_trials=self.num_trials,
                name=name,
                seed=seed,
            )
            found = search.run(lambda spec: {"score": self.score(spec)})
            rows = [
                {"spec": registry.spec_to_json(one.candidate), "score": one.measures["score"]}
                for one in sorted(found, key=lambda one: -one.measures["score"])
            ]
            write_json(target / _FOUND, rows)

        stages.run_stage(folder, inputs, work)
        return [registry.spec_from_json(row["spec"], folder) for row in read_json(folder / _FOUND)]

    def cut(self, name: str, spec: CPMobileSpec) -> None:
        """Stores a sub-network, recalibrated, as an ordinary network in the folder of a name."""

        def work(target: Path) -> None:
            with kept_statistics(self._sub_networks.supernet):
                self._sub_networks.recalibrate(spec, self._calibration)
                network = extract(self._sub_networks.supernet, spec)
                save_network(target, network, spec)
            save_signature(target, signature_of(self.student, self.data))

        inputs = {**self._inputs, "spec": registry.spec_to_json(spec)}
        stages.run_stage(self.run_dir / name, inputs, work)

    def spread(self, low: float, high: float, count: int, seed: int) -> list[CPMobileSpec]:
        """Draws different sub-networks, about evenly over a range of MACs, fewest MACs first."""
        generator, found = np.random.default_rng(seed), list[CPMobileSpec]()
        drawn = {self.space.draw(generator) for _ in range(200 * count)}
        macs = {spec: costs_of(spec).macs for spec in sorted(drawn, key=self.space.name)}
        for wanted in np.linspace(low, high, min(count, len(macs))):
            nearest = min(macs, key=lambda spec: abs(macs[spec] - wanted))
            found.append(nearest)
            del macs[nearest]
        return sorted(found, key=lambda spec: costs_of(spec).macs)

    def score(self, spec: CPMobileSpec) -> float:
        """Score with inherited weights on the held-out clips."""
        return self._scorer(spec)

    @cached_property
    def _inputs(self) -> dict[str, Any]:
        return {
            "supernet": stages.read_stage(self.supernet)["key"],
            "clips": self.data.train.key,
            "held_out": self.student.validation_fraction,
            "calibration_clips": self.calibration_clips,
        }

    @cached_property
    def _sub_networks(self) -> SubNetworks:
        return SubNetworks(load_supernet(self.supernet))

    @cached_property
    def _held_out(self) -> np.ndarray:
        return held_out_rows(self.data.train.clips, self.student.validation_fraction)

    @cached_property
    def _calibration(self) -> Sequence[np.ndarray]:
        rows = np.flatnonzero(~self._held_out)
        drawn = rows[calibration_rows(len(rows), self.calibration_clips)]
        return self._features(self.data.train.audio.take(drawn))

    @cached_property
    def _scorer(self) -> SubNetworkScorer:
        rows, train = np.flatnonzero(self._held_out), self.data.train
        return SubNetworkScorer(
            self._sub_networks,
            self._calibration,
            self._features(train.audio.take(rows)),
            train.clips.labels[rows],
            batched_macro_accuracy,
        )

    def _features(self, waveforms: Waveforms) -> Sequence[np.ndarray]:
        return FeatureBatches(waveforms, front_end(self.student.front_end)).mapped(self.run_dir)
