"""Clips of a scene search, with files decoded and scalograms computed beforehand."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dcase_system.audio.clips import stereo_waveforms
from dcase_system.audio.specs import ScalogramSpec
from dcase_system.audio.store import Waveforms
from dcase_system.core.files import fingerprint
from dcase_system.core.locations import Location
from dcase_system.corpora.corpus import Clips
from dcase_system.corpora.lists import Lists
from dcase_system.models.signature import ModelSignature, Normalisation
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
        corpus: Name of the development clips.
        classes: Class names, in label order.
        front_end: Front end of all features.
        train: Training clips, of which a part is held out for selection.
        test: Dev-test clips.
        evaluation: Names of the unlabelled evaluation clips.
        evaluation_features: Features of the evaluation clips, or None without an evaluation set.
        record: Identity of these clips, for the record of a run.
        warnings: Warnings about the lists, one line each, for the report.
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
        """Statistics of all training clips, used to train the selected networks."""
        return self.train.features.statistics()

    @property
    def signature(self) -> ModelSignature:
        """Signature of a network trained on all training clips."""
        return ModelSignature(
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
    """Computes the features of every listed clip.

    Args:
        lists: Lists of the clips.
        stores: Folder of the waveform stores and features, shared by all runs.
        spec: Spec of the front end.
        name: Name of the corpus, for reports.
        seconds: Length of the clips.
        copy_mono: Whether clips are mono, to use their channel for both ears.

    Raises:
        InputError: A clip is not as expected, or clips are shorter than a segment.
    """
    spec.segments(round(seconds * spec.sample_rate))  # rejects short clips before decoding any
    lists.log_warnings()
    root, scenes = lists.corpus.root, lists.corpus.scenes
    if copy_mono:
        _LOG.info("mono clips of %d scenes: using their channel for both ears", len(scenes))

    def decoded(root: Location, filenames: tuple[str, ...]) -> tuple[Waveforms, Scalograms]:
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
