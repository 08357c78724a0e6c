"""The searches of a supernet's run as stages: what was scored is kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system.core.files import fingerprint, read_json, write_json
from dcase_system.core.identity import identity
from dcase_system.runs import stages
from dcase_system.search.driver import Method, Search
from dcase_system.supernet.budgets import Budget
from dcase_system.supernet.scoring import SubNetworkScorer
from dcase_system.supernet.search import (
    SubNetworkProblem,
    candidate,
    search_sub_networks,
)
from dcase_system.supernet.search_space import Ratios, SearchSpace
from dcase_system.supernet.trainer import StageArtifact, Trainer

_FOUND, _SCORES = "found.json", "scores.json"


@dataclass(frozen=True)
class Searches:
    """Searches one supernet on the validation clips.

    Attributes:
        trainer: of the run.
        supernet: the trained one.
        space: its sub-networks.
        methods: of search, each with as many sub-networks scored.
        num_trials: sub-networks scored a search.
        seed: of the searches.
        storage: `postgresql://user@host/database`, or a journal file; None for one in the run
            directory, which is begun anew with another supernet or other code.
    """

    trainer: Trainer
    supernet: StageArtifact
    space: SearchSpace
    methods: tuple[Method, ...]
    num_trials: int
    seed: int
    storage: str | Path | None = None

    def search(self, budget: Budget) -> dict[str, list[dict[str, Any]]]:
        """What each method has found, best first.

        Raises:
            InputError: nothing is within the budget, or see `Search.run`.
        """
        return {method: self._search(budget, method) for method in self.methods}

    def are_done(self, budget: Budget) -> bool:
        """Whether there is nothing left to search."""
        return all(
            stages.is_done(self._folder(budget, method), self._inputs(budget))
            for method in self.methods
        )

    def help(self, budget: Budget) -> None:
        """Scores sub-networks beside the process that runs `search`.

        Raises:
            InputError: see `search`.
        """
        for method in self.methods:
            search_sub_networks(self._shared(budget, method), self.space, self._scorer, helps=True)

    def tested(self, chosen: Sequence[Ratios]) -> list[dict[str, float]]:
        """`map` of sub-networks on the test clips, and `map_not_recalibrated`.

        The second is with the moving statistics as the training has left them.
        """
        trainer = self.trainer

        def work(target: Path) -> None:
            specs = [self.space.spec(ratios) for ratios in chosen]
            sub_networks = trainer.sub_networks(self.supernet)
            clips = trainer.test_batches, trainer.data.test.labels
            own = SubNetworkScorer(sub_networks, trainer.calibration_batches, *clips)
            moving = SubNetworkScorer(sub_networks, None, *clips)
            scores = [{"map": own(spec), "map_not_recalibrated": moving(spec)} for spec in specs]
            write_json(target / _SCORES, scores)

        inputs = {
            "supernet": self.supernet.key,
            "chosen": chosen,
            "clips": trainer.data.test.key,
            "calibration_clips": trainer.calibration_clips,
        }
        folder = trainer.run_dir / "scores" / self.supernet.folder.name
        stages.run_stage(folder, inputs, work)
        return read_json(folder / _SCORES)

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

    def _search(self, budget: Budget, method: Method) -> list[dict[str, Any]]:
        def work(target: Path) -> None:
            found = search_sub_networks(self._shared(budget, method), self.space, self._scorer)
            write_json(target / _FOUND, [asdict(one) for one in found])

        folder = self._folder(budget, method)
        stages.run_stage(folder, self._inputs(budget), work)
        return read_json(folder / _FOUND)

    def _shared(self, budget: Budget, method: Method) -> Search[Ratios]:
        name, inputs = self._folder(budget, method).name, self._inputs(budget)
        key = fingerprint([self.supernet.key, identity()])[:16]
        journal = self.trainer.run_dir / "journals" / f"{key}.journal"
        return Search(
            SubNetworkProblem(self.space, budget),
            method,
            scored=f"{self.supernet.key} {inputs['clips']} {inputs['calibration_clips']}",
            storage=self.storage or journal,
            num_trials=self.num_trials,
            name=name,
            population=min(20, max(2, self.num_trials // 2)),
            seed=self.seed,
        )

    def _folder(self, budget: Budget, method: Method) -> Path:
        name = f"search_{self.supernet.folder.name}_{budget.high:.0f}_{method}"
        return self.trainer.run_dir / name

    def _inputs(self, budget: Budget) -> dict[str, Any]:
        return {
            "supernet": self.supernet.key,
            "space": self.space.key,
            "budget": str(budget),
            "draws": self.num_trials,
            "seed": self.seed,
            "clips": self.trainer.data.validation.key,
            "calibration_clips": self.trainer.calibration_clips,
        }

    @cached_property
    def _scorer(self) -> SubNetworkScorer:
        validation = self.trainer.data.validation
        return SubNetworkScorer(
            self.trainer.sub_networks(self.supernet),
            self.trainer.calibration_batches,
            self.trainer.validation_batches,
            validation.labels,
        )
