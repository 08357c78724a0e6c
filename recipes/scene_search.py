"""Scene search (Wu & Lee, DCASE 2020 Task 1B): random search over depthwise CNNs under 500 KB.

    python -m recipes.scene_search                          # stereo demo corpus
    python -m recipes.scene_search --data_dir=DEVELOPMENT \\
        --evaluation_dir=EVALUATION                         # Task 1B
    python -m recipes.scene_search --data_dir=SCENES --corpus=scenes \\
        --seconds=1 --segment_frames=100 --candidates=20    # mono clips

Trains candidates for three epochs each (`--epochs`), then two of them from scratch, model A of the
highest accuracy and model B of the lowest loss, and hands these in as a package of Task 1B. Ends
with Tables 3 and 4 and Figures 3 and 4 of the paper, what was published beside them. With
`--methods=random --methods=nsga2` NSGA-II searches too, with as many candidates.

Candidates are selected on clips held out of the training list and have their statistics of batch
norm taken anew after their few epochs; `--as_published` does neither, as the paper. The widths of
the stem go in fours from 4 to 128.

`--corpus=scenes` takes mono clips in the TAU 2022 layout, their channel for both ears, with classes
of their own. More processes search with `--parallel_tasks=4`, on the nodes of a cluster with
`--executor=ray`, and anywhere with `--join` and the same `--storage`. The published scale was not
tried.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dcase_system import cli, runs
from dcase_system.corpora.demo_marker import is_demo
from dcase_system.help import Flags
from dcase_system.reporting.scene_search import summary
from dcase_system.scene_search.chosen import OUTPUT
from dcase_system.scene_search.clips import SceneData
from dcase_system.scene_search.experiment import (
    SearchPlan,
    help_search,
    run_experiment,
    settings_of,
)
from dcase_system.scene_search.scratch import SUBMITTED_FORM
from dcase_system.scene_search.space import SceneSpace, SizeWindow
from dcase_system.scene_search.training import FINAL_PLAN, ScenePlan
from dcase_system.submission.card import AuthorCard
from dcase_system.submission.task1b import Description2020, System2020, assemble_task1b
from recipes import _common, _executor, _flags, _scene_clips
from recipes import _scene_flags as own

PUBLISHED: dict[str, Any] = {
    "candidates": SearchPlan.evaluations,
    "epochs": ScenePlan.epochs,
    "final_epochs": FINAL_PLAN.epochs,
    "final_calibration": FINAL_PLAN.calibration_segments,
    "batch_size": ScenePlan.batch_size,
    "learning_rate": ScenePlan.learning_rate,
    "validation_fraction": SearchPlan.validation_fraction,
    "reading": "paper",
}
# The networks are the code's, a quarter the work. A few steps leave no moving statistics.
DEMO = PUBLISHED | {
    "candidates": 6,
    "final_epochs": 4,
    "final_calibration": ScenePlan.calibration_segments,
    "batch_size": 16,
    "reading": "code",
}


def main(argv: Sequence[str]) -> None:
    plan = settings(DEMO if _flags.DATA_DIR.value is None else PUBLISHED)
    lists, name, seconds = _scene_clips.listed()
    packed = lists.evaluation_root is not None and _scene_clips.CORPUS.value == "task1b"
    systems = [f"scene_{method}_{model}" for method in plan.methods for model in "ab"]
    root = lists.corpus.root
    card = _common.author_card(systems, root if packed else None)
    run_dir = Path(_flags.OUTPUT_DIR.value or f"runs/{name}/scene_search-seed{plan.seed}")
    overwrite = _flags.OVERWRITE.value
    runs.check(run_dir, settings_of(plan, lists.record), overwrite=overwrite)
    data = _scene_clips.load(lists, name, seconds)
    if _executor.JOIN.value:
        help_search(run_dir, plan, data)
        return
    results = run_experiment(
        run_dir, plan, data, lambda: _executor.search_together(run_dir), overwrite=overwrite
    )
    print(summary(run_dir))
    print(f"\nrun directory: {run_dir}")
    if packed:
        made = package(run_dir, card, results, data, handed_in=not is_demo(root))
        print(f"validated package: {made}")


def settings(scale: dict[str, Any]) -> SearchPlan:
    """The plan, as the flags say."""
    values = scale | _common.given_settings() | _flags.given(own.OF_SCALE)
    common = _scene_clips.training(values)
    candidate = ScenePlan(epochs=values["epochs"], **common)
    final = replace(
        FINAL_PLAN,
        epochs=values["final_epochs"],
        calibration_segments=values["final_calibration"],
        **common,
    )
    if own.AS_PUBLISHED.value:
        candidate, final = (replace(one, calibration_segments=0) for one in (candidate, final))
    window = SizeWindow(own.SMALLEST_KIB.value, own.LARGEST_KIB.value)
    return SearchPlan(
        space=SceneSpace(values["reading"], window),
        front_end=_scene_clips.front_end(),
        candidate=candidate,
        final=final,
        methods=tuple(dict.fromkeys(own.METHODS.value)),
        evaluations=values["candidates"],
        validation_fraction=values["validation_fraction"],
        select_on_test=own.AS_PUBLISHED.value,
        storage=_executor.storage(),
        seed=_flags.SEED.value,
    )


def package(
    run_dir: Path, card: AuthorCard, results: dict[str, Any], data: SceneData, *, handed_in: bool
) -> Path:
    """What is chosen, as a package of Task 1B."""
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
        folder, card, systems, evaluation_filenames=data.evaluation, handed_in=handed_in
    )


if __name__ == "__main__":
    cli.run(
        main,
        Flags(
            groups=_flags.groups_with(own.GROUPS),
            refused=(_flags.ACCUMULATION, _flags.DISTRIBUTION, *_flags.OF_CLASSIFIERS),
            defaults=_scene_clips.defaults(PUBLISHED, DEMO),
            texts=own.TEXTS,
        ),
    )
