"""The clips of a scene search: lists read, files decoded and scalograms computed before it."""

import logging
from dataclasses import dataclass
from pathlib import Path

from dcase_system.audio.scalogram import ScalogramSpec
from dcase_system.audio.store import Waveforms
from dcase_system.corpora.corpus import Clips, Corpus
from dcase_system.corpora.lists import read_lists
from dcase_system.corpora.task1b import TEST_LIST, TRAIN_LIST
from dcase_system.data import stereo_waveforms
from dcase_system.files import fingerprint
from dcase_system.places import Place
from dcase_system.scene_search.features import Scalograms, scalograms

_LOG = logging.getLogger(__name__)


# Arrays have no single truth value, so the classes cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class SceneClips:
    """Clips of a list, their waveforms and their features."""

    clips: Clips
    audio: Waveforms
    features: Scalograms

    @property
    def key(self) -> str:
        """Changes with the list, the labels, the files or the front end."""
        return fingerprint([self.clips.labels.tolist(), self.features.key])


@dataclass(frozen=True, eq=False)
class SceneData:
    """The clips of a search.

    Attributes:
        classes: in label order.
        front_end: of all features.
        train: to train on and, a part of them, to select on.
        test: the dev-test clips.
        evaluation: names of the unlabelled clips.
        evaluation_features: theirs, or None without an evaluation set.
        warnings: what to mind about the lists, a line each; for the record and the report.
    """

    classes: tuple[str, ...]
    front_end: ScalogramSpec
    train: SceneClips
    test: SceneClips
    evaluation: tuple[str, ...] = ()
    evaluation_features: Scalograms | None = None
    warnings: tuple[str, ...] = ()


def load_scenes(
    corpus: Corpus,
    stores: Path,
    spec: ScalogramSpec,
    *,
    seconds: float,
    evaluation: Place | None = None,
    train_list: str = TRAIN_LIST,
    copy_mono: bool = False,
) -> SceneData:
    """Reads the lists and computes the features of every clip they name.

    Args:
        corpus: development clips.
        stores: folder of the waveform stores and the features, shared by all runs.
        spec: of the front end.
        seconds: length of the clips.
        evaluation: folder of the unlabelled clips, or None.
        train_list: of the training clips.
        copy_mono: whether mono clips are taken, their channel for both ears.

    Raises:
        InputError: a list or a clip is not as expected, a clip is in two lists, or clips are
            shorter than a segment.
    """
    spec.segments(round(seconds * spec.sample_rate))  # refused before anything is decoded
    lists = read_lists(corpus, evaluation, train_list, TEST_LIST)
    lists.log_warnings()
    if copy_mono:
        _LOG.info("mono clips of %d scenes: their channel stands for both ears", len(corpus.scenes))

    def decoded(root: Place, filenames: tuple[str, ...]) -> tuple[Waveforms, Scalograms]:
        waveforms = stereo_waveforms(
            stores, root, filenames, spec.sample_rate, seconds, copy_mono=copy_mono
        )
        return waveforms, scalograms(stores, waveforms, filenames, spec)

    return SceneData(
        corpus.scenes,
        spec,
        SceneClips(lists.train, *decoded(corpus.root, lists.train.filenames)),
        SceneClips(lists.test, *decoded(corpus.root, lists.test.filenames)),
        lists.evaluation,
        decoded(evaluation, lists.evaluation)[1] if evaluation else None,
        lists.warnings,
    )
