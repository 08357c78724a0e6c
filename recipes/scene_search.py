"""Scene search (Wu & Lee, DCASE 2020 Task 1B): random search over depthwise CNNs under 500 KB.

python -m recipes.scene_search                                        # stereo demo corpus
python -m recipes.scene_search --data_dir=DEVELOPMENT --evaluation_dir=EVALUATION
python -m recipes.scene_search --data_dir=SCENES --corpus=scenes --seconds=1 --segment_frames=100

Trains candidates for three epochs each (`--epochs`), the best of them from scratch, and hands it in
as a package of Task 1B. NSGA-II searches beside it with as many candidates. `--corpus=scenes` takes
mono clips in the TAU 2022 layout, their channel for both ears, with classes of their own. More
processes, here or elsewhere, help with `--worker=1`, ... The published scale was not tried.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system import cli
from dcase_system.audio.scalogram import ScalogramSpec, code_scalogram
from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.demo import STEREO_FULL, write_stereo_demo_corpus
from dcase_system.corpora.task1b import CLIP_SECONDS, TRAIN_LIST, read_task1b
from dcase_system.models.scene_cnn import Reading
from dcase_system.progress import progress_bar
from dcase_system.reporting.scene_search import summary
from dcase_system.scene_search.chosen import OUTPUT, SUBMITTED_FORM
from dcase_system.scene_search.clips import SceneData, load_scenes
from dcase_system.scene_search.experiment import SearchPlan, run_experiment, run_search
from dcase_system.scene_search.space import SceneSpace, SizeWindow
from dcase_system.scene_search.training import FINAL_PLAN, ScenePlan
from dcase_system.submission.card import AuthorCard, read_author_card
from dcase_system.submission.task1b import Description2020, System2020, assemble_task1b
from recipes import _common

# The paper gives no number of candidates. The demo's networks are the code's, a quarter the work.
PUBLISHED: dict[str, Any] = {"candidates": 100, "final_epochs": 60, "batch_size": 64}
DEMO: dict[str, Any] = {"candidates": 3, "final_epochs": 4, "batch_size": 16}

_CORPUS = flags.DEFINE_enum("corpus", "task1b", ["task1b", "scenes"], "What --data_dir holds.")
_TRAIN_LIST = flags.DEFINE_string("train_list", TRAIN_LIST, "Such as split25.csv.")
_SECONDS = flags.DEFINE_float("seconds", CLIP_SECONDS, "Length of a clip.", 0.1)
_SEGMENT_FRAMES = flags.DEFINE_integer("segment_frames", 128, "Of 10 ms.", lower_bound=16)
_SCALOGRAM = flags.DEFINE_enum("scalogram", "paper", ["paper", "code"], "Whose front end.")
_READING = flags.DEFINE_enum("reading", None, ["paper", "code"], "Whose stem and padding.")
_SMALLEST = flags.DEFINE_float("smallest_kib", SizeWindow.low, "Lower end of the size window.")
_LARGEST = flags.DEFINE_float("largest_kib", SizeWindow.high, "Upper end of the size window.")
_CANDIDATES = flags.DEFINE_integer("candidates", None, "Of each search.", lower_bound=1)
_METHODS = flags.DEFINE_multi_enum("methods", ["random", "nsga2"], ["random", "nsga2"], "Searches.")
_FINAL_EPOCHS = flags.DEFINE_integer("final_epochs", None, "Of the chosen one.", lower_bound=1)
_SELECT_ON_TEST = flags.DEFINE_bool(
    "select_on_test",
    False,
    "Select candidates on the dev-test clips, as the authors did; the test accuracy of the chosen "
    "one is then too high. By default a part of the training list is held out for it.",
)
_STORAGE = flags.DEFINE_string("storage", None, "Journal of the search, for several machines.")
_WORKER = flags.DEFINE_integer("worker", 0, "Number of a process that only helps.", lower_bound=0)
flags.adopt_module_key_flags(_common)  # `--help` shows them too


def main(argv: Sequence[str]) -> None:
    _common.refuse((*_common.OF_STUDENTS, _common.ACCUMULATION))
    card = read_author_card(_common.AUTHOR_CARD.value)
    demo = _common.DATA_DIR.value is None
    plan = settings(DEMO if demo else PUBLISHED, "code" if demo else "paper")
    data, name = clips(plan.front_end)
    run_dir = Path(_common.OUTPUT_DIR.value or f"runs/{name}/scene_search-seed{plan.seed}")
    if _WORKER.value:
        run_search(run_dir, plan, data, _WORKER.value)
        return
    results = run_experiment(run_dir, plan, data)
    print(summary(run_dir))
    print(f"\nrun directory: {run_dir}")
    if data.evaluation and _CORPUS.value == "task1b":
        print(f"validated package: {package(run_dir, card, results, data)}")


def settings(scale: dict[str, Any], reading: Reading) -> SearchPlan:
    """The plan, as the flags say."""
    front_end = code_scalogram() if _SCALOGRAM.value == "code" else ScalogramSpec()
    common = {
        "batch_size": _common.BATCH_SIZE.value or scale["batch_size"],
        "learning_rate": _common.LEARNING_RATE.value or ScenePlan.learning_rate,
    }
    candidate = ScenePlan(epochs=_common.EPOCHS.value or ScenePlan.epochs, **common)
    epochs = _FINAL_EPOCHS.value or scale["final_epochs"]
    held_out = _common.VALIDATION_FRACTION.value
    window = SizeWindow(_SMALLEST.value, _LARGEST.value)
    return SearchPlan(
        space=SceneSpace(_READING.value or reading, window),
        front_end=replace(front_end, segment_frames=_SEGMENT_FRAMES.value),
        candidate=candidate,
        final=replace(FINAL_PLAN, epochs=epochs, **common),
        methods=tuple(dict.fromkeys(_METHODS.value)),
        evaluations=_CANDIDATES.value or scale["candidates"],
        validation_fraction=0.25 if held_out is None else held_out,
        select_on_test=_SELECT_ON_TEST.value,
        storage=Path(_STORAGE.value) if _STORAGE.value else None,
        seed=_common.SEED.value,
    )


def clips(front_end: ScalogramSpec) -> tuple[SceneData, str]:
    """The clips that the flags name, and a name for them."""
    evaluation: Path | None
    cache, seconds = Path(_common.CACHE_DIR.value), _SECONDS.value
    if _common.DATA_DIR.value is None:
        _common.announce_demo()
        with progress_bar("making the stereo demo corpus", "clip") as show:
            demo = write_stereo_demo_corpus(cache / "demo_stereo", progress=show)
        root, evaluation, seconds = demo.development, demo.evaluation, STEREO_FULL.seconds
        name = "demo_stereo"
    else:
        root, given = Path(_common.DATA_DIR.value), _common.EVALUATION_DIR.value
        evaluation, name = Path(given) if given else None, root.resolve().name
    mono = _CORPUS.value == "scenes" and _common.DATA_DIR.value is not None  # the demo is stereo
    corpus = read_corpus(root, _common.SCENES.value) if mono else read_task1b(root)
    data = load_scenes(
        corpus,
        cache / "stores",
        front_end,
        seconds=seconds,
        evaluation=evaluation,
        train_list=_TRAIN_LIST.value,
        copy_mono=mono,
    )
    return data, name


def package(run_dir: Path, card: AuthorCard, results: dict[str, Any], data: SceneData) -> Path:
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
    return assemble_task1b(folder, card, systems, evaluation_filenames=data.evaluation)


if __name__ == "__main__":
    cli.run(main)
