"""Shared by the scene recipes: their clips and the final training plan, read from the flags."""

from dataclasses import replace

from absl import flags

from dcase_system.audio.scalogram import code_scalogram
from dcase_system.audio.specs import ScalogramSpec
from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.demo import write_stereo_demo_corpus
from dcase_system.corpora.lists import Lists, read_lists
from dcase_system.corpora.task1b import TEST_LIST, TRAIN_LIST, read_task1b
from dcase_system.scene_search.clips import SceneData, load_scenes
from dcase_system.scene_search.training import FINAL_PLAN, ScenePlan
from recipes import _common

FLAGS = flags.FLAGS
# Training and dev-test list, by --corpus.
_LISTS = {"task1b": (TRAIN_LIST, TEST_LIST), "scenes": ("split100.csv", "test.csv")}


def front_end() -> ScalogramSpec:
    """Returns the front end that the flags select."""
    spec = code_scalogram() if FLAGS.scalogram == "code" else ScalogramSpec()
    return replace(spec, segment_frames=FLAGS.segment_frames)


def final_plan(epochs: int) -> ScenePlan:
    """Returns the plan for training a network from scratch.

    On the demo corpus, batch norm statistics are recomputed: its few epochs leave no usable moving
    statistics.

    Args:
        epochs: Number of passes over the segments.
    """
    plan = replace(
        FINAL_PLAN,
        epochs=epochs,
        batch_size=FLAGS.batch_size,
        learning_rate=FLAGS.learning_rate,
    )
    if FLAGS.data_dir is None:
        plan = replace(plan, calibration_segments=ScenePlan.calibration_segments)
    return plan


def listed() -> tuple[Lists, str]:
    """Reads the lists of the clips that the flags name; returns them and a name for the clips."""
    root, evaluation, name = _common.folders("demo_stereo", write_stereo_demo_corpus)
    corpus = read_corpus(root, FLAGS.scenes) if _is_mono() else read_task1b(root)
    train, test = _LISTS["scenes" if _is_mono() else "task1b"]
    return read_lists(corpus, evaluation, train=FLAGS.train_list or train, test=test), name


def load(lists: Lists, name: str) -> SceneData:
    """Loads the listed clips and their features."""
    return load_scenes(
        lists,
        _common.stores(),
        front_end(),
        name=name,
        seconds=FLAGS.seconds,
        copy_mono=_is_mono(),
    )


def _is_mono() -> bool:
    return FLAGS.corpus == "scenes" and FLAGS.data_dir is not None  # the demo is stereo
