"""Runs the supernet experiment in the paper's order.

The order is teacher, supernets, searches, reference networks, fine-tuning. Table 1 compares the
best sub-networks with reference networks of about their size, trained alone with labels and with
the teacher; Table 2 compares fine-tuning with training from random weights; Figure 3 shows the best
sub-network of each search space; Figure 4 the spread of each space's random candidates. Selected
sub-networks are exported for devices.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dcase_system import runs
from dcase_system.audio.clips import TaggedData
from dcase_system.core.files import write_json
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.models.stored import SPEC
from dcase_system.parallel.workers import dismiss_others, team
from dcase_system.supernet import analysis
from dcase_system.supernet.alone import UniformNetwork, uniform_network
from dcase_system.supernet.budgets import Budget
from dcase_system.supernet.constraints import Constraint, constraints_of
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.devices import export_network
from dcase_system.supernet.plan import ExperimentPlan, settings_of
from dcase_system.supernet.plans import SupernetPlan
from dcase_system.supernet.search import SubNetworkProblem
from dcase_system.supernet.search_space import Ratios, SearchSpace, paper_space, ratios_name
from dcase_system.supernet.searches import Searches
from dcase_system.supernet.trainer import StageArtifact, Trainer
from dcase_system.training.multilabel import chance_precision
from dcase_system.training.seeds import derive

Row = dict[str, Any]
Spaces = dict[str, list[Row]]  # by the pattern of the space: one row per constraint


def run_experiment(
    run_dir: Path,
    plan: ExperimentPlan,
    data: TaggedData,
    before_search: Callable[[], None] = lambda: None,
    *,
    overwrite: bool = False,
) -> Row:
    """Runs or resumes the experiment; writes `results.json` and `report.html` to `run_dir`.

    Args:
        run_dir: Run directory; finished stages are kept, interrupted trainings resume.
        plan: Settings of the experiment.
        data: Clips; the base takes their classes and length.
        before_search: Called once all supernets are trained, if a search is left to do; workers may
            join from then on.
        overwrite: Whether to remove an existing run from the directory first.

    Returns:
        The content of `results.json`.

    Raises:
        InputError: The directory holds something else or another process runs in it, see
            `runs.begun`; no sub-network meets a constraint; a training diverges; or an exported
            file deviates too far from its network.
    """
    # Imports matplotlib and jinja, which other users of this module do not need.
    from dcase_system.reporting.report import write_report

    run = _Experiment(run_dir, plan, data)
    with runs.begun(run_dir, settings_of(plan, data.record), overwrite=overwrite):
        results = run.results(before_search)
        write_json(run_dir / "results.json", results)
        write_report(run_dir)
    return results


def help_search(run_dir: Path, plan: ExperimentPlan, data: TaggedData) -> None:
    """Works on the searches of a run, whose supernets must be trained, until they are done.

    Any number of workers that see the run directory may do so.

    Raises:
        InputError: A supernet is not trained yet, or see `Search.run`.
    """
    runs.join(run_dir, settings_of(plan, data.record))
    _Experiment(run_dir, plan, data).help()


class _Experiment:
    def __init__(self, run_dir: Path, plan: ExperimentPlan, data: TaggedData):
        frames = plan.front_end.frames(data.train.audio.shape[0])
        shape = (plan.front_end.n_mels, frames)
        base = replace(plan.base, classes=len(data.classes), input_shape=shape)
        self.plan, self.data = replace(plan, base=base), data
        self.trainer = Trainer(run_dir, data, plan.front_end, plan.calibration_clips)
        self.params = costs_of(base).params
        self.spaces = [paper_space(pattern, plan.width_per, base) for pattern in plan.patterns]
        self.constraints = constraints_of(base, plan.budgets, plan.tolerance)

    def help(self) -> None:
        for space in self.spaces:
            searches = self._searches(space, self.trainer.trained(_supernet_of(space)))
            for constraint in self.constraints:
                searches.help(_budget(constraint))

    def results(self, before_search: Callable[[], None]) -> Row:
        plan, trainer = self.plan, self.trainer
        for space in self.spaces:
            for constraint in self.constraints:
                problem = SubNetworkProblem(space, _budget(constraint))
                problem.size()  # refuses an empty budget early
        teacher = trainer.train("teacher", plan.base, self._seeded(plan.teacher, "teacher"))
        taught = trainer.teach(teacher)
        searches = [self._searches(space, self._supernet(space, taught)) for space in self.spaces]
        spaces = self._found(searches, before_search)
        best = [row for one in searches for row in self._tested(one, spaces)]
        chosen = [row for row in best if row["search"] == "random"][: len(self.constraints)]
        alone = self._alone(taught)
        cut = [self._cut(searches[0], row) for row in chosen]
        chosen = [
            row | {"interval_95": trainer.test_interval(one)}
            for row, one in zip(chosen, cut, strict=True)
        ]
        tuned = [self._tuned(row, one, taught) for row, one in zip(chosen, cut, strict=True)]
        ranking = self._ranking(searches[0], taught)
        dismiss_others()  # nothing is left to train
        score = trainer.test_map(teacher)
        return {
            "corpus": plan.corpus,
            "largest_params": self.params,
            "teacher": score,
            "chance": chance_precision(self.data.test.labels),
            "classes_without_positive": int((self.data.test.labels.sum(axis=0) == 0).sum()),
            "chosen": analysis.improved(chosen, alone),
            "table1": analysis.table1(score, self.params, alone, chosen),
            "tuning_steps": plan.tuning_steps,
            "table2": tuned,
            "figure3": best,
            "figure4": analysis.figure4(spaces),
            "files": [
                {"constraint": row["constraint"], **file}
                for row, one in zip(chosen, cut, strict=True)
                for file in export_network(trainer, row["constraint"], one, plan.formats)
            ],
            "ranking": ranking,
            "all_scored": analysis.all_scored(spaces),
            "spaces": spaces,
        }

    def _seeded(self, plan: SupernetPlan, purpose: str) -> SupernetPlan:
        return replace(plan, seed=derive(self.plan.seed, purpose))

    def _supernet(self, space: SearchSpace, taught: StageArtifact) -> StageArtifact:
        plan = self._seeded(self.plan.supernet, "supernet")
        return self.trainer.train(
            _supernet_of(space), space.base, plan, space=space, teacher=taught
        )

    def _searches(self, space: SearchSpace, supernet: StageArtifact) -> Searches:
        plan = self.plan
        return Searches(
            self.trainer, supernet, space, plan.methods, plan.num_trials, plan.seed, plan.storage
        )

    def _found(self, searches: Sequence[Searches], before_search: Callable[[], None]) -> Spaces:
        """Runs the searches of all spaces and returns their candidates, by pattern."""
        budgets = [(one, _budget(one)) for one in self.constraints]
        done = all(one.are_done(budget) for one in searches for _, budget in budgets)
        if not done and team().is_chief:
            before_search()
        return {
            one.space.depth_pattern: [
                {
                    **{"constraint": constraint.name, "published": constraint.published},
                    **{"low": constraint.low, "high": constraint.high},
                    **one.search(budget),
                }
                for constraint, budget in budgets
            ]
            for one in searches
        }

    def _tested(self, searches: Searches, spaces: Spaces) -> list[Row]:
        """Returns the best sub-network of each search of a space, with its test scores."""
        pattern = searches.space.depth_pattern
        rows = analysis.best_of_spaces({pattern: spaces[pattern]})
        scores = searches.tested([_ratios(row) for row in rows])
        return [row | score for row, score in zip(rows, scores, strict=True)]

    def _alone(self, taught: StageArtifact) -> list[analysis.Alone]:
        """Trains and scores the reference networks, with labels and with the teacher."""
        beside: dict[UniformNetwork, list[str]] = {}
        for one in self.constraints:
            beside.setdefault(uniform_network(self.spaces[0], one.params), []).append(one.name)
        plan, trainer = self._seeded(self.plan.alone, "uniform networks"), self.trainer
        alone = []
        for network, constraints in beside.items():
            baseline = trainer.train(f"baseline_{network.name}", network.spec, plan)
            kd = trainer.train(f"kd_{network.name}", network.spec, plan, teacher=taught)
            scores = trainer.test_map(baseline), trainer.test_map(kd)
            alone.append(analysis.Alone(network.params, *scores, tuple(constraints)))
        return alone

    def _cut(self, searches: Searches, row: Row) -> StageArtifact:
        """Extracts a sub-network that a search found."""
        spec = _spec(searches.space, row)
        return self.trainer.cut(f"cut_{row['constraint']}", searches.supernet, spec)

    def _tuned(self, row: Row, inherited: StageArtifact, taught: StageArtifact) -> Row:
        """Fine-tunes a selected sub-network, shorter and longer, and trains it from random weights.

        Returns its row of Table 2.
        """
        trainer, name = self.trainer, row["constraint"]
        spec = registry.read_spec(inherited.folder / SPEC)
        shorter, longer = (
            replace(self._seeded(self.plan.alone, "tuning"), steps=steps)
            for steps in self.plan.tuning_steps
        )
        scores = {"ofa": trainer.test_map(inherited)}
        for column, plan, initial in (
            ("tuned_short", shorter, inherited),
            ("tuned_long", longer, inherited),
            ("init_long", longer, None),
        ):
            stage = f"{column.partition('_')[0]}_{name}_{plan.steps}"
            trained = trainer.train(stage, spec, plan, teacher=taught, initial=initial)
            scores[column] = trainer.test_map(trained)
        given = {key: row[key] for key in ("constraint", "published", "params")}
        return given | scores

    def _ranking(self, searches: Searches, taught: StageArtifact) -> Row | None:
        """Compares validation scores of inherited weights with those of separate trainings."""
        if self.plan.ranked < 2:
            return None
        rows = searches.spread(self.plan.ranked)
        for row in rows:
            alone = self.trainer.train(
                f"alone_{row['params']}",
                _spec(searches.space, row),
                self._seeded(self.plan.alone, "ranking"),
                teacher=taught,
            )
            score = self.trainer.score(alone, self.data.validation)
            row |= {"spec": ratios_name(row["ratios"]), "alone": score}
        return analysis.agreement(rows)


def _budget(constraint: Constraint) -> Budget:
    return Budget("params", constraint.high, constraint.low)


def _supernet_of(space: SearchSpace) -> str:
    """Returns the name of the stage that trains the supernet of a space."""
    return "supernet_" + space.depth_pattern.replace(",", "")


def _spec(space: SearchSpace, row: Row) -> CNN10Spec:
    return space.spec(_ratios(row))


def _ratios(row: Row) -> Ratios:
    return tuple(tuple(of_block) for of_block in row["ratios"])
