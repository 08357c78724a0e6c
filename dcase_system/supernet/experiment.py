"""The supernet's run in the paper's order: teacher, supernet, search, tuning, what to compare with.

Table 1 holds for each budget a uniform network trained alone, with labels and with the teacher, and
the best sub-network found; Table 2 what tuning gives it, against the same network from random
weights; Figure 3 search spaces against each other; Figure 4 all that were scored, and their front.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from scipy.stats import kendalltau

from dcase_system import stages
from dcase_system.data import TaggedData
from dcase_system.files import write_json
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec, uniform_cnn10
from dcase_system.supernet.analysis import all_scored, best_of_spaces
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.plan import ExperimentPlan
from dcase_system.supernet.scoring import SubNetworkScorer
from dcase_system.supernet.search import Budget, reachable
from dcase_system.supernet.searches import Searches
from dcase_system.supernet.space import SearchSpace, paper_space, ratios_name
from dcase_system.supernet.step import SupernetPlan
from dcase_system.supernet.trainings import Trained, Trainings
from dcase_system.training.seeds import derive
from dcase_system.workers import dismiss_others, team


def run_experiment(
    run_dir: Path,
    plan: ExperimentPlan,
    data: TaggedData,
    before_search: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Runs what has not been run yet and writes `results.json` and `report.html` into `run_dir`.

    Args:
        run_dir: of the run; a finished stage in it is kept, an interrupted training resumed.
        plan: what is run.
        data: clips; the base gets their classes and length.
        before_search: called when all supernets are trained, if a search is left to do: other
            processes may help from then on.

    Returns:
        The content of `results.json`.

    Raises:
        InputError: another run is at work in the directory, a budget has no sub-network inside, or
            a training diverges.
    """
    # Imports matplotlib and jinja, which nobody else of this module's users waits for.
    from dcase_system.reporting.report import write_report

    run = _Experiment(run_dir, plan, data)
    with stages.only_one(run_dir):
        settings = asdict(run.plan) | {"base": registry.spec_to_json(run.plan.base)}
        storage = plan.storage and str(plan.storage)
        settings |= {"classes": data.classes, "storage": storage, "warnings": data.warnings}
        stages.write_config(run_dir, settings)
        results = run.results(before_search)
        dismiss_others()
        write_json(run_dir / "results.json", results)
        write_report(run_dir)
    return results


def help_search(run_dir: Path, plan: ExperimentPlan, data: TaggedData) -> None:
    """Takes part in the searches of a run whose supernets are trained, until they are done.

    Any number of processes may, which see the run directory.

    Raises:
        InputError: no supernet is trained, or see `SharedSearch.run`.
    """
    _Experiment(run_dir, plan, data).help()


class _Experiment:
    def __init__(self, run_dir: Path, plan: ExperimentPlan, data: TaggedData):
        frames = plan.front_end.frames(data.train.audio.shape[0])
        shape = (plan.front_end.n_mels, frames)
        base = replace(plan.base, classes=len(data.classes), input_shape=shape)
        self.plan, self.data = replace(plan, base=base), data
        self.trainings = Trainings(run_dir, data, plan.front_end, plan.calibration_clips)
        self.params = costs_of(base).params
        self.spaces = [paper_space(pattern, plan.width_per, base) for pattern in plan.patterns]

    def help(self) -> None:
        for space in self.spaces:
            searches = self._searches(space, self.trainings.trained(_supernet_of(space)))
            for share in self.plan.budgets:
                searches.help(self._budget(share))

    def results(self, before_search: Callable[[], None]) -> dict[str, Any]:
        plan, trainings = self.plan, self.trainings
        for space in self.spaces:
            for share in plan.budgets:
                reachable(space, self._budget(share))  # refused before anything is trained
        teacher = trainings.train("teacher", plan.base, self._seeded(plan.teacher, 1))
        teacher_score = trainings.score(teacher, self.data.test)
        taught = trainings.teach(teacher)
        supernets = [self._supernet(space, taught) for space in self.spaces]
        of_spaces = self._found(supernets, before_search)
        space, supernet = self.spaces[0], supernets[0]
        searched = of_spaces[space.depth_pattern]
        return {
            "largest_params": self.params,
            "teacher": teacher_score.mean_average_precision,
            "classes_without_positive": teacher_score.classes_without_positive,
            "table1": [self._table1(space, supernet, one, taught) for one in searched],
            "table2": [self._table2(space, supernet, one, taught) for one in searched],
            "spaces": of_spaces,
            "best_of_spaces": best_of_spaces(of_spaces),
            "all_scored": all_scored(of_spaces),
            "ranking": self._ranking(space, supernet, taught),
        }

    def _seeded(self, plan: SupernetPlan, *purpose: int) -> SupernetPlan:
        return replace(plan, seed=derive(self.plan.seed, *purpose))

    def _budget(self, share: float) -> Budget:
        low, high = share - self.plan.tolerance, share + self.plan.tolerance
        return Budget("params", high * self.params, max(0.0, low) * self.params)

    def _supernet(self, space: SearchSpace, taught: Trained) -> Trained:
        plan = self._seeded(self.plan.supernet, 2)
        return self.trainings.train(
            _supernet_of(space), space.base, plan, space=space, teacher=taught
        )

    def _searches(self, space: SearchSpace, supernet: Trained) -> Searches:
        plan = self.plan
        return Searches(
            self.trainings, supernet, space, plan.methods, plan.draws, plan.seed, plan.storage
        )

    def _found(
        self, supernets: Sequence[Trained], before_search: Callable[[], None]
    ) -> dict[str, list[dict[str, Any]]]:
        """What the searches of each space have found, by its pattern and the budget."""
        searches = [
            self._searches(space, supernet)
            for space, supernet in zip(self.spaces, supernets, strict=True)
        ]
        budgets = {share: self._budget(share) for share in self.plan.budgets}
        done = all(one.are_done(budget) for one in searches for budget in budgets.values())
        if not done and team().is_chief:
            before_search()
        return {
            one.space.depth_pattern: [
                {"budget": share, **one.search(budget)} for share, budget in budgets.items()
            ]
            for one in searches
        }

    def _table1(
        self, space: SearchSpace, supernet: Trained, searched: dict, taught: Trained
    ) -> dict[str, Any]:
        """One budget: a uniform network alone, with labels and teacher, and the sub-network."""
        share = searched["budget"]
        uniform = nearest_uniform(space, share * self.params)
        name, plan = f"{share:g}", self._seeded(self.plan.alone, 3)
        baseline = self.trainings.train(f"baseline_{name}", uniform, plan)
        distilled = self.trainings.train(f"kd_{name}", uniform, plan, teacher=taught)
        best = _spec(space, searched["random"][0])
        sub_networks = self.trainings.sub_networks(supernet)
        clips = self.trainings.features(self.data.test.audio)
        labels, calibration = self.data.test.labels, self.trainings.calibration_batches
        return {
            "budget": share,
            "uniform_params": costs_of(uniform).params,
            "baseline": self.trainings.test_map(baseline),
            "kd": self.trainings.test_map(distilled),
            "ofa_params": costs_of(best).params,
            "ofa_not_recalibrated": SubNetworkScorer(sub_networks, None, clips, labels)(best),
            "ofa": SubNetworkScorer(sub_networks, calibration, clips, labels)(best),
        }

    def _table2(
        self, space: SearchSpace, supernet: Trained, searched: dict, taught: Trained
    ) -> dict[str, Any]:
        """One budget: the sub-network, tuned for some epochs and more, and from random weights."""
        name, best = f"{searched['budget']:g}", _spec(space, searched["random"][0])
        plan = replace(self._seeded(self.plan.alone, 4), largest_epochs=0)
        shorter, longer = self.plan.tuning_epochs
        inherited = self.trainings.cut(f"cut_{name}", supernet, best)
        trained = {"inherited": inherited}
        for column, epochs, initial in (
            (f"tuned_{shorter}", shorter, inherited),
            (f"tuned_{longer}", longer, inherited),
            (f"init_{longer}", longer, None),
        ):
            stage = column.replace("_", f"_{name}_")
            tuning = replace(plan, epochs=epochs)
            trained[column] = self.trainings.train(
                stage, best, tuning, teacher=taught, initial=initial
            )
        scores = {column: self.trainings.test_map(one) for column, one in trained.items()}
        return {"budget": searched["budget"], "params": costs_of(best).params, **scores}

    def _ranking(
        self, space: SearchSpace, supernet: Trained, taught: Trained
    ) -> dict[str, Any] | None:
        """Validation scores with inherited weights and with their own, and Kendall's tau."""
        if self.plan.ranked < 2:
            return None
        rows = self._searches(space, supernet).spread(self.plan.ranked)
        for row in rows:
            alone = self.trainings.train(
                f"alone_{row['params']}",
                _spec(space, row),
                self._seeded(self.plan.alone, 5),
                teacher=taught,
            )
            score = self.trainings.score(alone, self.data.validation)
            row |= {"spec": ratios_name(row["ratios"]), "alone": score.mean_average_precision}
        tau = kendalltau([row["score"] for row in rows], [row["alone"] for row in rows])
        # Not defined for one sub-network, or for scores that are all equal.
        known = not math.isnan(tau.statistic)
        found = (float(tau.statistic), float(tau.pvalue)) if known else (None, None)
        return {"kendall_tau": found[0], "p_value": found[1], "rows": rows}


def nearest_uniform(space: SearchSpace, params: float) -> CNN10Spec:
    """The network with one ratio and one depth in all dynamic blocks that is nearest in size."""
    depths = range(1, max(map(len, space.base.blocks[space.static_blocks :])) + 1)
    uniform = [
        uniform_cnn10(ratio, depth, space.base, space.static_blocks)
        for ratio in space.ratios
        for depth in depths
    ]
    return min(uniform, key=lambda spec: abs(costs_of(spec).params - params))


def _supernet_of(space: SearchSpace) -> str:
    """The stage that trains the supernet of a space."""
    return "supernet_" + space.depth_pattern.replace(",", "")


def _spec(space: SearchSpace, row: dict) -> CNN10Spec:
    return space.spec(tuple(tuple(ratios) for ratios in row["ratios"]))
