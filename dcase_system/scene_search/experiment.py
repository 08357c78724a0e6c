"""The run of a scene search in the paper's order: search, the chosen one from scratch, analysis."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system import stages
from dcase_system.audio.scalogram import ScalogramSpec
from dcase_system.complexity.rules import KIB
from dcase_system.corpora.corpus import validation_rows
from dcase_system.errors import InputError
from dcase_system.files import fingerprint, write_json
from dcase_system.models import registry
from dcase_system.scene_search.analysis import by_growth, size_correlations
from dcase_system.scene_search.chosen import train_chosen
from dcase_system.scene_search.clips import SceneClips, SceneData
from dcase_system.scene_search.search import Candidate, Method, Search, front
from dcase_system.scene_search.space import Architecture, SceneSpace
from dcase_system.scene_search.training import (
    FINAL_PLAN,
    ScenePlan,
    predict_clips,
    score_clips,
    trained_network,
)
from dcase_system.training import seeds
from dcase_system.training.log import TrainingLog
from dcase_system.training.plan import VALIDATION_SEED

_RESULT = "result.json"


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """What is run; the defaults are the paper's where it gives them.

    Attributes:
        space: architectures.
        front_end: of the features.
        candidate: training of a candidate.
        final: training of the chosen networks.
        methods: of search, each with as many candidates.
        evaluations: candidates a method.
        population: of a generation of NSGA-II, at most; a quarter of the evaluations if that is
            less, so that there are generations at all.
        validation_fraction: part of the training list, whole locations, that candidates are
            selected on; they are trained on the rest. The chosen ones are trained on all of it.
        select_on_test: selects on the dev-test list instead and trains candidates on the whole
            training list, as the authors did: the test accuracy of what is chosen is then too high.
        storage: journal file of the search, or `postgresql://user@host/database`; None for a
            journal in the run directory.
        seed: of everything random.
    """

    space: SceneSpace
    front_end: ScalogramSpec = field(default_factory=ScalogramSpec)
    candidate: ScenePlan = field(default_factory=ScenePlan)
    final: ScenePlan = FINAL_PLAN
    methods: tuple[Method, ...] = ("random", "nsga2")
    evaluations: int = 20
    population: int = 20
    validation_fraction: float = 0.25
    select_on_test: bool = False
    storage: str | Path | None = None
    seed: int = 0


def help_search(run_dir: Path, plan: SearchPlan, data: SceneData) -> None:
    """Takes part in the searches of a run, until their storage holds enough candidates.

    Any number of processes may, with `run_experiment` beside them, before it or without it.

    Raises:
        InputError: see `Search.run`; or no clip is left to train or to select on.
    """
    _Run(run_dir, plan, data).candidates(None)


def run_experiment(run_dir: Path, plan: SearchPlan, data: SceneData) -> dict[str, Any]:
    """Runs what has not been run yet and writes `results.json` and `report.html` into `run_dir`.

    Args:
        run_dir: of the run.
        plan: what is run.
        data: clips; the space gets their classes and the shape of their segments.

    Returns:
        The content of `results.json`.

    Raises:
        InputError: another run is at work in the directory, nothing falls into the size window,
            the storage is of another search, or a training diverges.
    """
    # Imports matplotlib and jinja, which nobody else of this module's users waits for.
    from dcase_system.reporting.report import write_report

    with stages.only_one(run_dir):
        run = _Run(run_dir, plan, data)
        settings = asdict(run.plan) | {"classes": data.classes, "storage": str(run.storage)}
        settings["warnings"] = data.warnings
        stages.write_config(run_dir, settings)
        results = run.results()
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
        found = self.candidates(0)
        rows = [
            {"method": method, **_row(one), "on_front": one.name in front(of_method)}
            for method, of_method in found.items()
            for one in of_method
        ]
        chosen = [self._chosen(method, of_method[0]) for method, of_method in found.items()]
        return {
            "classes": list(self.data.classes),
            "selected_on": "test" if self.plan.select_on_test else "validation",
            "candidates": rows,
            "chosen": chosen,
            "by_growth": by_growth(rows),
            "size_correlations": size_correlations(rows),
        }

    def candidates(self, worker: int | None) -> dict[str, list[Candidate]]:
        """What each method has found, best first."""
        train, rows, held, scored = self._selection()
        statistics = train.features.statistics(rows)
        segments = train.features.segments(statistics, rows)
        other = scored.features.segments(statistics, held)
        plan = replace(self.plan.candidate, seed=seeds.derive(self.plan.seed, 1))
        clips = [train.key, scored.key, rows.tolist(), held.tolist()]
        key = fingerprint([asdict(plan), clips])

        def evaluate(architecture: Architecture) -> tuple[float, float]:
            spec = self.plan.space.spec(architecture)
            name = architecture.name

            def work(folder: Path, checkpoint: Path) -> None:
                network = trained_network(
                    spec,
                    segments,
                    train.clips.labels[rows],
                    plan,
                    checkpoint=checkpoint,
                    # No curves: hundreds of three points each would bury the chosen networks'.
                    metrics_log=TrainingLog(self.run_dir / "metrics" / f"{name}.jsonl"),
                    name=name,
                )
                score = score_clips(
                    predict_clips(network, other), scored.clips.labels[held], self.data.classes
                )
                write_json(folder / _RESULT, asdict(score))

            folder = self.run_dir / "candidates" / name
            inputs = {"spec": registry.spec_to_json(spec), "scored": key}
            stages.run_training(folder, inputs, work)
            result = json.loads((folder / _RESULT).read_text(encoding="utf-8"))
            return result["accuracy"], result["logloss"]

        return {
            method: Search(
                self.plan.space,
                method,
                key,
                self.storage,
                self.plan.evaluations,
                min(self.plan.population, max(2, self.plan.evaluations // 4)),
                self.plan.seed,
            ).run(evaluate, worker)
            for method in self.plan.methods
        }

    def _chosen(self, method: str, candidate: Candidate) -> dict[str, Any]:
        """The best of a method, trained from scratch."""
        folder = self.run_dir / f"final_{method}"
        plan = replace(self.plan.final, seed=seeds.derive(self.plan.seed, 2))
        spec = self.plan.space.spec(candidate.architecture)
        left = train_chosen(folder, spec, plan, self.data)
        return {"method": method, "folder": folder.name, **_row(candidate), **left}

    def _selection(self) -> tuple[SceneClips, np.ndarray, np.ndarray, SceneClips]:
        """Clips and their rows to train candidates on, then rows and their clips to score on."""
        train, test = self.data.train, self.data.test
        if self.plan.select_on_test:
            return train, train.features.every_clip, test.features.every_clip, test
        mask = validation_rows(train.clips, self.plan.validation_fraction, VALIDATION_SEED)
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
        "accuracy": one.accuracy,
        "loss": one.loss,
    }
