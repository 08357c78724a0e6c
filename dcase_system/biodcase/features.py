"""The clips of the contest and their integer features, computed once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from dcase_system.audio.integer_mel import IntegerMel, IntegerMelSpec, peak_scaled, unit_range
from dcase_system.core.errors import InputError
from dcase_system.core.locations import Location
from dcase_system.core.processors import usable_cores
from dcase_system.core.progress import progress_bar
from dcase_system.corpora.lists import Lists
from dcase_system.runs import stages

CLIP_SECONDS = 3.0
_PARTS = ("train", "test")


# Arrays have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Features of clips, as the network takes them, and their labels.

    Attributes:
        features: float32 (clips, mels, frames, 1), each clip from 0 to 1.
        labels: Class indices (clips,).
    """

    features: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.features)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a clip's features: (mels, frames, 1)."""
        return self.features.shape[1:]

    def gather(self, positions: np.ndarray) -> np.ndarray:
        """Returns the features at `positions`."""
        return self.features[positions]


@dataclass(frozen=True, eq=False)
class Features:
    """Features of a run.

    Attributes:
        train: Training clips.
        test: Test clips.
        classes: Class names in label order.
        key: Key of the stage that computed them.
    """

    train: FeatureSet
    test: FeatureSet
    classes: tuple[str, ...]
    key: str


def load_features(folder: Path, lists: Lists, corpus_key: str, spec: IntegerMelSpec) -> Features:
    """Computes the features of training and test clips, unless `folder` holds them.

    Args:
        folder: Folder of a stage.
        lists: Lists of the clips: 16-bit WAV files of one channel.
        corpus_key: Identity of the clips.
        spec: Front end.

    Raises:
        InputError: A clip has another format or length.
    """
    inputs = {"corpus": corpus_key, "lists": lists.record, "front_end": asdict(spec)}
    listed = {"train": lists.train, "test": lists.test}

    def work(target: Path) -> None:
        for part in _PARTS:
            found = _computed(lists.corpus.root, listed[part].filenames, spec)
            np.save(target / f"{part}.npy", found)

    key = stages.run_stage(folder, inputs, work)
    train, test = (_read(folder / f"{part}.npy", listed[part].labels) for part in _PARTS)
    return Features(train, test, lists.corpus.scenes, key)


def _computed(root: Location, filenames: Sequence[str], spec: IntegerMelSpec) -> np.ndarray:
    """Features of clips: uint16 (clips, mels, frames), not yet scaled to [0, 1]."""
    front_end = IntegerMel(spec)
    with ThreadPoolExecutor(usable_cores()) as pool, progress_bar("features", "clip") as show:
        found = []
        for features in pool.map(partial(_of_clip, front_end, root), filenames):
            found.append(features)
            show(len(found), len(filenames))
    return np.stack(found)


def _of_clip(front_end: IntegerMel, root: Location, name: str) -> np.ndarray:
    """Features of a clip as the contest's evaluation computes them, which scales it to its peak."""
    path = root / name
    samples, rate = soundfile.read(str(path), dtype="int16")
    wanted = (round(CLIP_SECONDS * front_end.spec.sample_rate),)
    if rate != front_end.spec.sample_rate or samples.shape != wanted:
        raise InputError(
            "clip has another format",
            where=path,
            expected=f"{CLIP_SECONDS:g} s at {front_end.spec.sample_rate:,} Hz, one channel",
            received=f"{samples.shape} at {rate:,} Hz",
        )
    return front_end(peak_scaled(samples))


def _read(path: Path, labels: np.ndarray) -> FeatureSet:
    stored = np.load(path, allow_pickle=False)
    scaled = np.stack([unit_range(one) for one in stored])
    return FeatureSet(scaled[..., None], labels)
