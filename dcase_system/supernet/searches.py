"""The searches of a supernet's run as stages: what was scored is kept."""

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system import stages
from dcase_system.files import fingerprint, write_json
from dcase_system.identity import identity
from dcase_system.supernet.evolution import evolve
from dcase_system.supernet.scoring import SubNetworkScorer
from dcase_system.supernet.search import (
    Budget,
    candidate,
    random_search,
)
from dcase_system.supernet.space import SearchSpace
from dcase_system.supernet.trainings import Trained, Trainings

_FOUND = "found.json"
_JOURNAL = "evolution.journal"


@dataclass(frozen=True)
class Searches:
    """Searches one supernet on the validation clips.

    Attributes:
        trainings: of the run.
        supernet: the trained one.
        space: its sub-networks.
        draws: sub-networks scored a search.
        seed: of the searches.
    """

    trainings: Trainings
    supernet: Trained
    space: SearchSpace
    draws: int
    seed: int

    def search(self, budget: Budget, evolution: bool) -> dict[str, list[dict[str, Any]]]:
        """What the random search found, best first, and NSGA-II with as many scored.

        Raises:
            InputError: nothing is within the budget.
        """
        methods = ("random", "evolution") if evolution else ("random",)
        return {method: self._search(budget, method) for method in methods}

    def spread(self, count: int) -> list[dict[str, Any]]:
        """Sub-networks of different sizes, evenly over the range, scored."""
        everything = sorted(self.space.all(), key=self.space.cost)
        rows = np.linspace(0, len(everything) - 1, count).round().astype(int)
        return [
            asdict(
                candidate(
                    self.space,
                    everything[row],
                    self.space.cost(everything[row]),
                    self._scorer(self.space.spec(everything[row])),
                )
            )
            for row in rows
        ]

    def _search(self, budget: Budget, method: str) -> list[dict[str, Any]]:
        name = f"search_{self.supernet.folder.name}_{budget.high:.0f}_{method}"
        folder = self.trainings.run_dir / name
        # Begun anew with another supernet or other code, which a storage would refuse.
        key = fingerprint([self.supernet.key, identity()])[:16]
        journal = self.trainings.run_dir / "journals" / f"{name}-{key}.journal"
        inputs = {
            "supernet": self.supernet.key,
            "space": self.space.key,
            "budget": str(budget),
            "draws": self.draws,
            "seed": self.seed,
            "clips": self.trainings.data.validation.key,
            "calibration_clips": self.trainings.calibration_clips,
        }

        def work(target: Path) -> None:
            if method == "random":
                found = random_search(
                    self.space, budget, self._scorer, draws=self.draws, seed=self.seed
                )
            else:
                found = evolve(
                    self.space,
                    budget,
                    self._scorer,
                    scored=f"{self.supernet.key} {inputs['clips']} {inputs['calibration_clips']}",
                    storage=journal,
                    evaluations=self.draws,
                    population=min(20, max(2, self.draws // 2)),
                    seed=self.seed,
                )
            write_json(target / _FOUND, [asdict(one) for one in found])

        stages.run_stage(folder, inputs, work)
        return json.loads((folder / _FOUND).read_text(encoding="utf-8"))

    @cached_property
    def _scorer(self) -> SubNetworkScorer:
        validation = self.trainings.data.validation
        return SubNetworkScorer(
            self.trainings.sub_networks(self.supernet),
            self.trainings.calibration_batches,
            self.trainings.features(validation.audio),
            validation.labels,
        )
