"""The clips of the scene recipes, as their flags say. Not a recipe itself."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system.audio.scalogram import ScalogramSpec, code_scalogram
from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.demo import STEREO_FULL, write_stereo_demo_corpus
from dcase_system.corpora.lists import Lists, read_lists
from dcase_system.corpora.task1b import CLIP_SECONDS, TEST_LIST, TRAIN_LIST, read_task1b
from dcase_system.places import Place, place
from dcase_system.progress import progress_bar
from dcase_system.scene_search.clips import SceneData, load_scenes
from recipes import _common, _flags
from recipes._flags import Groups

CORPUS = flags.DEFINE_enum(
    "corpus",
    "task1b",
    ["task1b", "scenes"],
    "What --data_dir holds: clips of DCASE 2020 Task 1B, or mono clips in the layout of TAU 2022 "
    "Mobile.",
)
TRAIN_LIST_NAME = flags.DEFINE_string(
    "train_list",
    None,
    "FILE: Training list of the corpus, such as split25.csv; the dev-test list is its own.",
)
SEGMENT_FRAMES = flags.DEFINE_integer(
    "segment_frames", 128, "FRAMES: Length of a segment; a frame is 10 ms.", lower_bound=16
)
SCALOGRAM = flags.DEFINE_enum(
    "scalogram", "paper", ["paper", "code"], "Front end of the paper or of its code."
)
# Training and dev-test list, by --corpus.
_LISTS = {"task1b": (TRAIN_LIST, TEST_LIST), "scenes": ("split100.csv", "test.csv")}
GROUPS: Groups = {"Clips": (CORPUS, TRAIN_LIST_NAME, SEGMENT_FRAMES, SCALOGRAM)}
TEXTS: dict[str, str] = {
    "data_dir": "FOLDER: Development clips, of the kind that --corpus says. "
    "[the stereo demo corpus]",
    "batch_size": "SEGMENTS: Segments a step.",
    "learning_rate": "RATE: Learning rate of the first epochs; it falls in steps.",
}


def defaults(published: Mapping[str, Any], demo: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a recipe's constants stand for, with those of the clips."""
    lists = {f"with --corpus={name}": {"train_list": train} for name, (train, _) in _LISTS.items()}
    return {
        "": {**published, "seconds": CLIP_SECONDS},
        _flags.DEMO: {**demo, "seconds": STEREO_FULL.seconds},
        **lists,
    }


def front_end() -> ScalogramSpec:
    """The front end that the flags name."""
    spec = code_scalogram() if SCALOGRAM.value == "code" else ScalogramSpec()
    return replace(spec, segment_frames=SEGMENT_FRAMES.value)


def listed() -> tuple[Lists, str, float]:
    """The lists of the clips that the flags name, a name for them, and the length of a clip."""
    root: Place
    evaluation: Place | None
    seconds = _flags.SECONDS.value or CLIP_SECONDS
    if _flags.DATA_DIR.value is None:
        _common.announce_demo()
        with progress_bar("making the stereo demo corpus", "clip") as show:
            folder = Path(_flags.CACHE_DIR.value) / "demo_stereo"
            demo = write_stereo_demo_corpus(folder, progress=show)
        root, evaluation = demo.development, demo.evaluation
        seconds = _flags.SECONDS.value or STEREO_FULL.seconds
        name = "demo_stereo"
    else:
        root, given = place(_flags.DATA_DIR.value), _flags.EVALUATION_DIR.value
        evaluation, name = place(given) if given else None, root.resolve().name
    corpus = read_corpus(root, _flags.SCENES.value) if _is_mono() else read_task1b(root)
    train, test = _LISTS["scenes" if _is_mono() else "task1b"]
    lists = read_lists(corpus, evaluation, train=TRAIN_LIST_NAME.value or train, test=test)
    return lists, name, seconds


def load(lists: Lists, name: str, seconds: float) -> SceneData:
    """The clips of the lists, and their features."""
    return load_scenes(
        lists,
        _common.stores(),
        front_end(),
        name=name,
        seconds=seconds,
        copy_mono=_is_mono(),
    )


def training(scale: dict[str, Any]) -> dict[str, Any]:
    """Hyper-parameters that all trainings of a recipe have in common."""
    return {name: scale[name] for name in ("batch_size", "learning_rate")}


def _is_mono() -> bool:
    return CORPUS.value == "scenes" and _flags.DATA_DIR.value is not None  # the demo is stereo
