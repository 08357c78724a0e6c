"""The clips of a run: reads lists and decodes files before any training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dcase_system.audio.decode import open_audio
from dcase_system.audio.mix import mix
from dcase_system.audio.store import Waveforms, ingest
from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint
from dcase_system.core.locations import Location
from dcase_system.core.progress import progress_bar
from dcase_system.corpora import tau
from dcase_system.corpora.audioset import AudioSet
from dcase_system.corpora.corpus import Clips, Corpus
from dcase_system.corpora.lists import Lists, read_split
from dcase_system.corpora.mixtures import plan_mixtures
from dcase_system.corpora.tags import TaggedClips

SAMPLE_RATE = 32_000  # of the stores, in Hz; both front ends use it


@dataclass(frozen=True)
class ClipSet:
    """Clips of a list and their waveforms."""

    clips: Clips
    audio: Waveforms

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def key(self) -> str:
        """Fingerprint of the list, the labels and the files."""
        clips = self.clips
        return fingerprint([clips.filenames, clips.labels.tolist(), clips.devices, self.audio.key])


@dataclass(frozen=True)
class Data:
    """The clips of a run.

    All lists are read and all files decoded before an instance exists, so that faulty data is
    refused before any training.

    Attributes:
        scenes: Class names in label order.
        split: Percentage of the training split.
        train: Training clips of this split.
        test: Dev-test clips.
        evaluation: Names of the unlabelled evaluation clips.
        evaluation_audio: Waveforms of the evaluation clips, or None without an evaluation set.
        record: Description that identifies these clips in the record of a run.
        evaluation_devices: Device of each evaluation clip; empty if their list names none.
        warnings: Warnings about the lists, one per line, for the report.
        validation: Clips for a choice after training, or None.
    """

    scenes: tuple[str, ...]
    split: int
    train: ClipSet
    test: ClipSet
    evaluation: tuple[str, ...]
    evaluation_audio: Waveforms | None
    record: Mapping[str, Any]
    evaluation_devices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    validation: ClipSet | None = None

    @property
    def several_labels(self) -> bool:
        """Whether a clip may have several labels: then they are (clips, classes)."""
        return self.train.clips.labels.ndim == 2


def load_data(
    corpus: Corpus,
    split: int,
    evaluation: Location | None,
    stores: Path,
    *,
    seconds: float = tau.CLIP_SECONDS,
) -> Data:
    """Reads the lists and ingests all their clips into the waveform stores.

    Args:
        corpus: Development clips.
        split: 5, 10, 25, 50 or 100.
        evaluation: Folder of the unlabelled evaluation clips, or None.
        stores: Folder of the waveform stores, shared by all runs.
        seconds: Length of every clip in seconds.

    Raises:
        InputError: A list or a clip is invalid, or a clip is in two lists.
    """
    return decoded(read_split(corpus, split, evaluation), split, stores, seconds=seconds)


def decoded(lists: Lists, split: int, stores: Path, *, seconds: float = tau.CLIP_SECONDS) -> Data:
    """Ingests all clips of the lists into the waveform stores; see `load_data`."""
    lists.log_warnings()
    root, evaluation = lists.corpus.root, None

    def waveforms(folder: Location, filenames: tuple[str, ...]) -> Waveforms:
        return mono_waveforms(stores, folder, filenames, seconds=seconds)

    train = ClipSet(lists.train, waveforms(root, lists.train.filenames))
    test = ClipSet(lists.test, waveforms(root, lists.test.filenames))
    validation = None
    if lists.validation is not None:
        validation = ClipSet(lists.validation, waveforms(root, lists.validation.filenames))
    if lists.evaluation_root:
        evaluation = waveforms(lists.evaluation_root, lists.evaluation)
    return Data(
        scenes=lists.corpus.scenes,
        split=split,
        train=train,
        test=test,
        evaluation=lists.evaluation,
        evaluation_audio=evaluation,
        record=lists.record_with(train.audio, test.audio, evaluation),
        evaluation_devices=lists.evaluation_devices,
        warnings=lists.warnings,
        validation=validation,
    )


# Arrays have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class TaggedSet:
    """Waveforms of clips and their labels, (clips, classes), 1 where the class is present."""

    labels: np.ndarray
    audio: Waveforms

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def key(self) -> str:
        """Fingerprint of the labels and the files."""
        return fingerprint([self.labels.tolist(), self.audio.key])


@dataclass(frozen=True)
class TaggedData:
    """The clips of a multi-label run: training, validation and test set.

    Attributes:
        classes: Class names in label order.
        train: Clips for training.
        validation: Clips for the search.
        test: Clips for the final score.
        lists: Description that identifies the source lists; empty if the sets identify them.
        warnings: Warnings about the lists, one per line, for the report.
    """

    classes: tuple[str, ...]
    train: TaggedSet
    validation: TaggedSet
    test: TaggedSet
    lists: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def record(self) -> dict[str, Any]:
        """Description that identifies these clips in the record of a run."""
        sets = {"train": self.train, "validation": self.validation, "test": self.test}
        keys = {name: f"{len(one):,} clips, {one.key[:12]}" for name, one in sets.items()}
        return {"classes": self.classes, **self.lists, "sets": keys}


def load_mixtures(
    lists: Lists,
    stores: Path,
    *,
    train: int,
    validation: int,
    test: int,
    seconds: float = tau.CLIP_SECONDS,
    mixture_seconds: float | None = None,
    seed: int = 0,
) -> TaggedData:
    """Makes mixtures of scene clips, see `corpora.mixtures`.

    Args:
        lists: Lists of scene clips, with the training list of `MIXED_SPLIT`.
        stores: Folder of the waveform stores, shared by all runs.
        train: Number of mixtures for training.
        validation: Number of mixtures of other locations, for the search.
        test: Number of mixtures of the dev-test list.
        seconds: Length of every clip in seconds.
        mixture_seconds: Length of a mixture in seconds, at least that of a clip; None for equal.
        seed: Seed of the mixtures.

    Raises:
        InputError: A clip is invalid.
    """
    lists.log_warnings()
    corpus = lists.corpus
    samples = round((mixture_seconds or seconds) * SAMPLE_RATE)

    def mixed(name: Literal["train", "validation", "test"], mixtures: int) -> TaggedSet:
        plan = plan_mixtures(corpus, name, mixtures, seed=seed)
        clips = mono_waveforms(stores, corpus.root, plan.clips.filenames, seconds=seconds)
        return TaggedSet(plan.labels, mix(clips, plan.sources, plan.gains, plan.offsets, samples))

    return TaggedData(
        corpus.scenes,
        mixed("train", train),
        mixed("validation", validation),
        mixed("test", test),
        lists.record,
        lists.warnings,
    )


def load_audioset(
    audioset: AudioSet, stores: Path, *, validation: int, seconds: float = 10.0, seed: int = 0
) -> TaggedData:
    """Loads AudioSet: balanced list, validation sample of the unbalanced list, evaluation list.

    Args:
        audioset: Copy of AudioSet.
        stores: Folder of the waveform stores, shared by all runs.
        validation: Number of clips in the validation sample.
        seconds: Length in seconds to which clips are cut or zero-padded.
        seed: Seed of the sample.

    Raises:
        InputError: A list or a clip is invalid, or a video is in two lists.
    """
    audioset.check_apart()

    def present(clips: TaggedClips) -> TaggedSet:
        audio = mono_waveforms(stores, audioset.root, clips.filenames, seconds=seconds, exact=False)
        return TaggedSet(clips.labels, audio)

    return TaggedData(
        audioset.names,
        present(audioset.balanced().clips),
        present(audioset.validation(validation, seed).clips),
        present(audioset.evaluation().clips),
    )


def stereo_waveforms(
    stores: Path,
    root: Location,
    filenames: Sequence[str],
    sample_rate: int,
    seconds: float,
    *,
    copy_mono: bool = False,
    writers: int = 1,
) -> Waveforms:
    """Loads waveforms of two channels, (clips, samples, 2), through a separate store.

    Args:
        stores: Folder of the waveform stores, shared by all runs.
        root: Folder of the clips.
        filenames: Clips below `root`.
        sample_rate: Sample rate in Hz.
        seconds: Length of every clip in seconds.
        copy_mono: Whether to accept mono clips and copy their channel.
        writers: Number of processes that write the store.

    Raises:
        InputError: A clip is invalid.
    """
    _check_length(root, filenames, seconds)
    name = f"{_store_name(root)}-stereo{'-of-mono' if copy_mono else ''}"
    with progress_bar(f"decoding {root.name}", "clip") as show:
        return ingest(
            stores / name,
            root,
            filenames,
            sample_rate=sample_rate,
            clip_seconds=seconds,
            channels=2,
            copy_mono=copy_mono,
            on_progress=show,
            writers=writers,
        )


def mono_waveforms(
    stores: Path,
    root: Location,
    filenames: Sequence[str],
    *,
    seconds: float = tau.CLIP_SECONDS,
    exact: bool = True,
    writers: int = 1,
) -> Waveforms:
    """Loads waveforms of one channel, (clips, samples), at `SAMPLE_RATE`.

    Args:
        stores: Folder of the waveform stores, shared by all runs.
        root: Folder of the clips.
        filenames: Clips below `root`.
        seconds: Length of every clip in seconds.
        exact: Whether clips must have that length and one channel; otherwise they are converted.
        writers: Number of processes that write the store.

    Raises:
        InputError: A clip is invalid.
    """
    if exact:
        _check_length(root, filenames, seconds)
    with progress_bar(f"decoding {root.name}", "clip") as show:
        return ingest(
            stores / _store_name(root),
            root,
            filenames,
            sample_rate=SAMPLE_RATE,
            clip_seconds=seconds,
            exact=exact,
            on_progress=show,
            writers=writers,
        )


def _check_length(root: Location, filenames: Sequence[str], seconds: float) -> None:
    """Names the flag and the right value if the clips have an unexpected length.

    Checks only the first clip. The ingest reports its other defects, and those of other clips.
    """
    for path in (root / name for name in filenames[:1]):
        try:
            with open_audio(path) as recording:
                found = (recording.promised or 0) / recording.sample_rate
        except InputError:
            return
        if found and round(found * SAMPLE_RATE) != round(seconds * SAMPLE_RATE):
            raise InputError(
                "clip length differs from --seconds",
                where=path,
                expected=f"{seconds:g} s",
                received=f"{found:.9g} s; give --seconds={found:.9g} if all are that long",
            )


def _store_name(root: Location) -> str:
    folder = root.resolve()
    return f"{folder.name}-{fingerprint(str(folder))[:8]}"
