"""Scene search (Wu & Lee, DCASE 2020 Task 1B): random search over depthwise CNNs under 500 KB.

    python -m recipes.scene_search                          # stereo demo corpus
    python -m recipes.scene_search --data_dir=DEVELOPMENT \\
        --evaluation_dir=EVALUATION                         # Task 1B
    python -m recipes.scene_search --data_dir=SCENES --corpus=scenes \\
        --seconds=1 --segment_frames=100                    # mono clips

Trains candidates for three epochs each (`--epochs`), the best of them from scratch, and hands it in
as a package of Task 1B. NSGA-II searches beside it with as many candidates. `--corpus=scenes` takes
mono clips in the TAU 2022 layout, their channel for both ears, with classes of their own. More
processes search with `--parallel_tasks=4`, on the nodes of a cluster with `--executor=ray`, and
anywhere with `--join` and the same `--storage`. The published scale was not tried.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dcase_system import cli
from dcase_system.audio.scalogram import ScalogramSpec, code_scalogram
from dcase_system.corpora.demo import STEREO_FULL
from dcase_system.corpora.demo_marker import is_demo
from dcase_system.corpora.task1b import CLIP_SECONDS
from dcase_system.help import Flags
from dcase_system.reporting.scene_search import summary
from dcase_system.scene_search.chosen import OUTPUT, SUBMITTED_FORM
from dcase_system.scene_search.clips import SceneData
from dcase_system.scene_search.experiment import SearchPlan, help_search, run_experiment
from dcase_system.scene_search.space import SceneSpace, SizeWindow
from dcase_system.scene_search.training import FINAL_PLAN, ScenePlan
from dcase_system.submission.card import AuthorCard
from dcase_system.submission.task1b import Description2020, System2020, assemble_task1b
from recipes import _common, _executor, _flags
from recipes import _scene_flags as own
from recipes._scene_clips import clips, folders

# The paper gives no number of candidates. The demo's networks are the code's, a quarter the work.
PUBLISHED: dict[str, Any] = {
    "candidates": 100,
    "epochs": ScenePlan.epochs,
    "final_epochs": FINAL_PLAN.epochs,
    "batch_size": 64,
    "learning_rate": ScenePlan.learning_rate,
    "validation_fraction": SearchPlan.validation_fraction,
    "reading": "paper",
    "seconds": CLIP_SECONDS,
}
DEMO = PUBLISHED | {
    "candidates": 3,
    "final_epochs": 4,
    "batch_size": 16,
    "reading": "code",
    "seconds": STEREO_FULL.seconds,
}


def main(argv: Sequence[str]) -> None:
    scale = DEMO if _flags.DATA_DIR.value is None else PUBLISHED
    plan = settings(scale)
    root, evaluation, name = folders()
    packed = evaluation is not None and own.CORPUS.value == "task1b"
    systems = [f"scene_{method}" for method in plan.methods]
    card = _common.author_card(systems, root if packed else None)
    data = clips(root, evaluation, plan.front_end, _flags.SECONDS.value or scale["seconds"])
    run_dir = Path(_flags.OUTPUT_DIR.value or f"runs/{name}/scene_search-seed{plan.seed}")
    if _executor.JOIN.value:
        help_search(run_dir, plan, data)
        return
    _executor.search_together(run_dir)
    results = run_experiment(run_dir, plan, data)
    print(summary(run_dir))
    print(f"\nrun directory: {run_dir}")
    if packed:
        made = package(run_dir, card, results, data, handed_in=not is_demo(root))
        print(f"validated package: {made}")


def settings(scale: dict[str, Any]) -> SearchPlan:
    """The plan, as the flags say."""
    values = scale | _common.given_settings() | _flags.given(own.OF_SCALE)
    front_end = code_scalogram() if own.SCALOGRAM.value == "code" else ScalogramSpec()
    common = {"batch_size": values["batch_size"], "learning_rate": values["learning_rate"]}
    window = SizeWindow(own.SMALLEST_KIB.value, own.LARGEST_KIB.value)
    return SearchPlan(
        space=SceneSpace(values["reading"], window),
        front_end=replace(front_end, segment_frames=own.SEGMENT_FRAMES.value),
        candidate=ScenePlan(epochs=values["epochs"], **common),
        final=replace(FINAL_PLAN, epochs=values["final_epochs"], **common),
        methods=tuple(dict.fromkeys(own.METHODS.value)),
        evaluations=values["candidates"],
        validation_fraction=values["validation_fraction"],
        select_on_test=own.SELECT_ON_TEST.value,
        storage=_executor.storage(),
        seed=_flags.SEED.value,
    )


def package(
    run_dir: Path, card: AuthorCard, results: dict[str, Any], data: SceneData, *, handed_in: bool
) -> Path:
    """What is chosen, as a package of Task 1B."""
    systems = [
        System2020(
            f"scene_{one['method']}",
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
            defaults={"": PUBLISHED, _flags.DEMO: DEMO},
            texts=own.TEXTS,
        ),
    )
