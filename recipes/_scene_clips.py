"""The clips of the scene search, as its flags say. Not a recipe itself."""

from pathlib import Path

from dcase_system.audio.scalogram import ScalogramSpec
from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.demo import write_stereo_demo_corpus
from dcase_system.corpora.task1b import read_task1b
from dcase_system.places import Place, place
from dcase_system.progress import progress_bar
from dcase_system.scene_search.clips import SceneData, load_scenes
from recipes import _common, _flags
from recipes import _scene_flags as own


def folders() -> tuple[Place, Place | None, str]:
    """The development and the evaluation folder that the flags name, and a name for them."""
    if _flags.DATA_DIR.value is None:
        _common.announce_demo()
        directory = Path(_flags.CACHE_DIR.value) / "demo_stereo"
        with progress_bar("making the stereo demo corpus", "clip") as show:
            demo = write_stereo_demo_corpus(directory, progress=show)
        return demo.development, demo.evaluation, directory.name
    root, given = place(_flags.DATA_DIR.value), _flags.EVALUATION_DIR.value
    return root, place(given) if given else None, root.resolve().name


def clips(
    root: Place, evaluation: Place | None, front_end: ScalogramSpec, seconds: float
) -> SceneData:
    """The clips of these folders, mono ones if the flags say so and it is not the demo."""
    mono = own.CORPUS.value == "scenes" and _flags.DATA_DIR.value is not None
    corpus = read_corpus(root, _flags.SCENES.value) if mono else read_task1b(root)
    return load_scenes(
        corpus,
        Path(_flags.CACHE_DIR.value) / "stores",
        front_end,
        seconds=seconds,
        evaluation=evaluation,
        train_list=own.TRAIN_LIST_NAME.value,
        copy_mono=mono,
    )
