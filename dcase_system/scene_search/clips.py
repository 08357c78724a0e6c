"""The clips of a scene search: lists read, files decoded and scalograms computed before it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dcase_system.audio.clips import stereo_waveforms
from dcase_system.audio.scalogram import ScalogramSpec
from dcase_system.audio.store import Waveforms
from dcase_system.core.files import fingerprint
from dcase_system.core.places import Place
from dcase_system.corpora.corpus import Clips
from dcase_system.corpora.lists import Lists
from dcase_system.models.signature import Contract, Normalisation
from dcase_system.scene_search.features import Scalograms, Statistics, scalograms
from dcase_system.scene_search.training import ACTIVATION

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
        corpus: name of the development clips.
        classes: in label order.
        front_end: of all features.
        train: to train on and, a part of them, to select on.
        test: the dev-test clips.
        evaluation: names of the unlabelled clips.
        evaluation_features: theirs, or None without an evaluation set.
        record: what tells these clips from others, for the record of a run.
        warnings: what to mind about the lists, a line each; for the report.
    """

    corpus: str
    classes: tuple[str, ...]
    front_end: ScalogramSpec
    train: SceneClips
    test: SceneClips
    evaluation: tuple[str, ...] = ()
    evaluation_features: Scalograms | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @cached_property
    def statistics(self) -> Statistics:
        """Of all training clips: what the chosen networks are trained on."""
        return self.train.features.statistics()

    @property
    def contract(self) -> Contract:
        """What a network hears and says that is trained on all training clips."""
        return Contract(
            self.classes,
            self.front_end,
            self.train.audio.shape[0],
            channels=self.train.audio.shape[1],
            activation=ACTIVATION,
            normalisation=Normalisation(
                self.statistics.mean.tolist(), self.statistics.scale.tolist()
            ),
        )


def load_scenes(
    lists: Lists,
    stores: Path,
    spec: ScalogramSpec,
    *,
    name: str,
    seconds: float,
    copy_mono: bool = False,
) -> SceneData:
    """Computes the features of every clip that the lists name.

    Args:
        lists: of the clips.
        stores: folder of the waveform stores and the features, shared by all runs.
        spec: of the front end.
        name: of the corpus, for reports.
        seconds: length of the clips.
        copy_mono: whether mono clips are taken, their channel for both ears.

    Raises:
        InputError: a clip is not as expected, or clips are shorter than a segment.
    """
    spec.segments(round(seconds * spec.sample_rate))  # refused before anything is decoded
    lists.log_warnings()
    root, scenes = lists.corpus.root, lists.corpus.scenes
    if copy_mono:
        _LOG.info("mono clips of %d scenes: their channel stands for both ears", len(scenes))

    def decoded(root: Place, filenames: tuple[str, ...]) -> tuple[Waveforms, Scalograms]:
        waveforms = stereo_waveforms(
            stores, root, filenames, spec.sample_rate, seconds, copy_mono=copy_mono
        )
        return waveforms, scalograms(stores, waveforms, filenames, spec)

    train = SceneClips(lists.train, *decoded(root, lists.train.filenames))
    test = SceneClips(lists.test, *decoded(root, lists.test.filenames))
    evaluation = None
    if lists.evaluation_root:
        evaluation = decoded(lists.evaluation_root, lists.evaluation)[1]
    record = lists.record_with(train.features, test.features, evaluation)
    return SceneData(
        name, scenes, spec, train, test, lists.evaluation, evaluation, record, lists.warnings
    )
