"""Implements `recipes.scene_search`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system import runs
from dcase_system.corpora.demo_marker import is_demo
from dcase_system.reporting.scene_search import summary
from dcase_system.scene_search.clips import SceneData
from dcase_system.scene_search.experiment import (
    SearchPlan,
    help_search,
    run_experiment,
    settings_of,
)
from dcase_system.scene_search.final_training import OUTPUT
from dcase_system.scene_search.scene_space import SceneSpace, SizeWindow
from dcase_system.scene_search.scratch import SUBMITTED_FORM
from dcase_system.scene_search.training import ScenePlan
from dcase_system.submission.card import AuthorCard
from dcase_system.submission.task1b import Description2020, System2020, assemble_task1b
from recipes import _common, _executor, _scene_clips

FLAGS = flags.FLAGS


def run() -> None:
    """Searches, trains the selected networks, and packages them if there are evaluation clips."""
    plan = settings()
    lists, name = _scene_clips.listed()
    packed = lists.evaluation_root is not None and FLAGS.corpus == "task1b"
    systems = [f"scene_{method}_{model}" for method in plan.methods for model in "ab"]
    root = lists.corpus.root
    card = _common.author_card(systems, root if packed else None)
    run_dir = Path(FLAGS.output_dir or f"runs/{name}/scene_search-seed{plan.seed}")
    overwrite = FLAGS.overwrite
    runs.check(run_dir, settings_of(plan, lists.record), overwrite=overwrite)
    data = _scene_clips.load(lists, name)
    if FLAGS.join:
        help_search(run_dir, plan, data)
        return
    results = run_experiment(
        run_dir, plan, data, lambda: _executor.search_together(run_dir), overwrite=overwrite
    )
    print(summary(run_dir))
    print(f"\nrun directory: {run_dir}")
    if packed:
        made = package(run_dir, card, results, data, for_submission=not is_demo(root))
        print(f"validated package: {made}")


def settings() -> SearchPlan:
    """Builds the plan from the flags."""
    common = {"batch_size": FLAGS.batch_size, "learning_rate": FLAGS.learning_rate}
    candidate = ScenePlan(epochs=FLAGS.epochs, **common)
    final = _scene_clips.final_plan(FLAGS.final_epochs)
    if FLAGS.as_published:
        candidate, final = (replace(one, calibration_segments=0) for one in (candidate, final))
    return SearchPlan(
        space=SceneSpace(FLAGS.reading, SizeWindow(FLAGS.smallest_kib, FLAGS.largest_kib)),
        front_end=_scene_clips.front_end(),
        candidate=candidate,
        final=final,
        methods=tuple(dict.fromkeys(FLAGS.methods)),
        num_trials=FLAGS.candidates,
        validation_fraction=FLAGS.validation_fraction,
        select_on_test=FLAGS.as_published,
        storage=_executor.storage(),
        seed=FLAGS.seed,
    )


def package(
    run_dir: Path,
    card: AuthorCard,
    results: dict[str, Any],
    data: SceneData,
    *,
    for_submission: bool,
) -> Path:
    """Packages the selected networks as a submission to Task 1B."""
    systems = [
        System2020(
            one["folder"].replace("final", "scene"),
            Description2020(data_augmentation="mixup"),
            one["complexity"],
            one["scores"][SUBMITTED_FORM],
            run_dir / one["folder"] / OUTPUT,
        )
        for one in results["chosen"]
    ]
    folder = run_dir / "submission"
    return assemble_task1b(
        folder, card, systems, evaluation_filenames=data.evaluation, for_submission=for_submission
    )
