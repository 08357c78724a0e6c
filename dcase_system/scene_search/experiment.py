"""Runs a scene search in the paper's order: search, final trainings from scratch, analysis."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system import runs
from dcase_system.audio.specs import ScalogramSpec
from dcase_system.complexity.rules import KIB
from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint, read_json, write_json
from dcase_system.models import registry
from dcase_system.runs import stages
from dcase_system.scene_search.analysis import (
    by_growth,
    histograms,
    mean_sizes,
    size_correlations,
)
from dcase_system.scene_search.clips import SceneClips, SceneData
from dcase_system.scene_search.final_training import train_chosen
from dcase_system.scene_search.scene_space import Architecture, SceneSpace
from dcase_system.scene_search.scratch import layers_of, table4_rows
from dcase_system.scene_search.search import (
    Candidate,
    CandidateScore,
    SceneProblem,
    chosen,
    front,
    search_scenes,
)
from dcase_system.scene_search.training import (
    FINAL_PLAN,
    MEASURES,
    ScenePlan,
    score_segments,
    trained_network,
)
from dcase_system.search.driver import Method, Search
from dcase_system.training import seeds
from dcase_system.training.log import TrainingLog
from dcase_system.training.plan import held_out_rows
from dcase_system.training.predict import predict

_RESULT = "result.json"
_DECISIVE = fields(CandidateScore)


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """Settings of a search; the defaults are the paper's, except for how candidates are scored.

    Candidates are scored on clips held out of the training list, with recomputed batch norm
    statistics. `select_on_test` with 0 `calibration_segments` for candidates is as published.

    Attributes:
        space: Search space.
        front_end: Front end of the features.
        candidate: Training plan of a candidate.
        final: Training plan of the selected networks.
        methods: Search methods, each with the same number of candidates; the paper's is random.
        num_trials: Number of distinct candidates per method.
        population: Largest population of NSGA-II; at most a quarter of the trials is used, so
            that there are several generations.
        validation_fraction: Share of the training list, in whole locations, held out to select
            candidates, which train on the rest. Selected networks train on the whole list.
        select_on_test: Whether to select on the dev-test list and train candidates on the whole
            training list, as published; the test accuracy of the selected ones is then optimistic.
        storage: Journal file of the search, or `postgresql://user@host/database`; None for a
            journal in the run directory.
        seed: Random seed of the whole run.
    """

    space: SceneSpace
    front_end: ScalogramSpec = field(default_factory=ScalogramSpec)
    candidate: ScenePlan = field(default_factory=ScenePlan)
    final: ScenePlan = FINAL_PLAN
    methods: tuple[Method, ...] = ("random",)
    num_trials: int = 510
    population: int = 20
    validation_fraction: float = 0.25
    select_on_test: bool = False
    storage: str | Path | None = None
    seed: int = 0


def settings_of(plan: SearchPlan, clips: Mapping[str, Any]) -> dict[str, Any]:
    """Collects everything that decides the results of a run, for `runs.check`.

    Args:
        plan: Settings of the search.
        clips: Record of the clips, or of their lists.
    """
    settings = asdict(plan) | {"storage": plan.storage and str(plan.storage)}
    for of_clips in ("classes", "input_shape"):
        del settings["space"][of_clips]
    return {"kind": "scene_search", **settings, **clips}


def help_search(run_dir: Path, plan: SearchPlan, data: SceneData) -> None:
    """Works on the searches of a run until their storage holds enough candidates.

    Any number of workers may do so, before, during or without `run_experiment`.

    Raises:
        InputError: See `Search.run`; or no clip is left for training or selection.
    """
    runs.join(run_dir, settings_of(plan, data.record))
    _Run(run_dir, plan, data).candidates(helps=True)


def run_experiment(
    run_dir: Path,
    plan: SearchPlan,
    data: SceneData,
    before_search: Callable[[], None] = lambda: None,
    *,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Runs or resumes the experiment; writes `results.json` and `report.html` to `run_dir`.

    Args:
        run_dir: Run directory.
        plan: Settings of the search.
        data: Clips; the space takes their classes and the shape of their segments.
        before_search: Called once the run directory is set up; workers may join from then on.
        overwrite: Whether to remove an existing run from the directory first.

    Returns:
        The content of `results.json`.

    Raises:
        InputError: The directory holds something else or another process runs in it, see
            `runs.begun`; no network falls within the size window; the storage belongs to another
            search; or a training diverges.
    """
    # Imports matplotlib and jinja, which other users of this module do not need.
    from dcase_system.reporting.report import write_report

    with runs.begun(run_dir, settings_of(plan, data.record), overwrite=overwrite):
        before_search()
        results = _Run(run_dir, plan, data).results()
        write_json(run_dir / "results.json", results)
        write_report(run_dir)
    return results


class _Run:
    def __init__(self, run_dir: Path, plan: SearchPlan, data: SceneData):
        bands, frames, _ = data.train.features.values.shape[2:]
        space = replace(plan.space, classes=len(data.classes), input_shape=(bands, frames))
        self.run_dir, self.plan, self.data = run_dir, replace(plan, space=space), data
        self.storage = plan.storage or run_dir / "search.journal"

    def results(self) -> dict[str, Any]:
        found = self.candidates()
        rows = [
            {"method": method, **_row(one), "on_front": one.name in best}
            for method, of_method in found.items()
            for best in [front(of_method)]
            for one in of_method
        ]
        trained = [
            self._trained(method, model, one)
            for method, of_method in found.items()
            for model, one in chosen(of_method).items()
        ]
        return {
            "corpus": self.data.corpus,
            "classes": list(self.data.classes),
            "selected_on": "test" if self.plan.select_on_test else "validation",
            "candidates": rows,
            "chosen": [one for one, _ in trained],
            "table4": [row for _, table4 in trained for row in table4],
            "by_growth": by_growth(rows),
            "mean_sizes": mean_sizes(rows),
            "histograms": histograms(rows),
            "size_correlations": size_correlations(rows),
        }

    def candidates(self, *, helps: bool = False) -> dict[str, list[Candidate]]:
        """Runs each method's search and returns its candidates, best first."""
        train, rows, held, scored = self._selection()
        statistics = train.features.statistics(rows)
        segments = train.features.segments(statistics, rows)
        other = scored.features.segments(statistics, held)
        plan = replace(self.plan.candidate, seed=seeds.derive(self.plan.seed, "candidate training"))
        clips = [train.key, scored.key, rows.tolist(), held.tolist()]
        key = fingerprint([asdict(plan), clips, MEASURES])

        def evaluate(architecture: Architecture) -> CandidateScore:
            spec = self.plan.space.spec(architecture)
            name = architecture.name

            def work(folder: Path, checkpoint: Path) -> None:
                network = trained_network(
                    spec,
                    segments,
                    train.clips.labels[rows],
                    plan,
                    checkpoint=checkpoint,
                    # No TensorBoard curves: hundreds of short ones would bury the final networks'.
                    metrics_log=TrainingLog(self.run_dir / "metrics" / f"{name}.jsonl"),
                    name=name,
                )
                score = score_segments(
                    predict(network, other),
                    other.per_clip,
                    scored.clips.labels[held],
                    self.data.classes,
                )
                write_json(folder / _RESULT, asdict(score))

            folder = self.run_dir / "candidates" / name
            inputs = {"spec": registry.spec_to_json(spec), "scored": key}
            stages.run_training(folder, inputs, work)
            result = read_json(folder / _RESULT)
            return CandidateScore(**{field.name: result[field.name] for field in _DECISIVE})

        return {
            method: search_scenes(
                Search(
                    SceneProblem(self.plan.space),
                    method,
                    key,
                    self.storage,
                    self.plan.num_trials,
                    name=method,
                    population=min(self.plan.population, max(2, self.plan.num_trials // 4)),
                    seed=self.plan.seed,
                ),
                evaluate,
                helps=helps,
            )
            for method in self.plan.methods
        }

    def _trained(
        self, method: str, model: str, candidate: Candidate
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Trains a selected network from scratch; returns its results and its Table 4 rows."""
        folder = self.run_dir / f"final_{method}_{model[0].lower()}"
        plan = replace(self.plan.final, seed=seeds.derive(self.plan.seed, "final training"))
        spec = self.plan.space.spec(candidate.architecture)
        left = train_chosen(folder, spec, plan, self.data)
        row = {
            "method": method,
            "model": model,
            "folder": folder.name,
            "layers": layers_of(spec),
            **_row(candidate),
            **left,
        }
        return row, table4_rows(f"{method} {model}", spec, left["complexity"], left["scores"])

    def _selection(self) -> tuple[SceneClips, np.ndarray, np.ndarray, SceneClips]:
        """Returns clips and rows to train candidates on, then rows and clips to score them on."""
        train, test = self.data.train, self.data.test
        if self.plan.select_on_test:
            return train, train.features.every_clip, test.features.every_clip, test
        mask = held_out_rows(train.clips, self.plan.validation_fraction)
        if not mask.any():
            raise InputError(
                "no clips to select on",
                where="validation fraction",
                expected="a part that holds a location of a class with two or more",
                received=self.plan.validation_fraction,
            )
        return train, np.flatnonzero(~mask), np.flatnonzero(mask), train


def _row(one: Candidate) -> dict[str, Any]:
    return {
        "architecture": one.name,
        "blocks": len(one.architecture.blocks),
        "stem": one.architecture.stem,
        "growth": one.architecture.growth,
        "params": one.params,
        "float32_kib": 4 * one.params / KIB,
        "macs": one.macs,
        **asdict(one.score),
    }
