"""The clips of a run: lists read and files decoded before any training."""

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
from dcase_system.core.places import Place
from dcase_system.core.progress import progress_bar
from dcase_system.corpora import tau
from dcase_system.corpora.audioset import AudioSet
from dcase_system.corpora.corpus import Clips, Corpus
from dcase_system.corpora.lists import Lists, read_split
from dcase_system.corpora.mixtures import plan_mixtures
from dcase_system.corpora.tags import TaggedClips

SAMPLE_RATE = 32_000  # of the stores, in Hz: that of both front ends


@dataclass(frozen=True)
class ClipSet:
    """Clips of a list and their waveforms."""

    clips: Clips
    audio: Waveforms

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def key(self) -> str:
        """Changes with the list, the labels or one of the files."""
        clips = self.clips
        return fingerprint([clips.filenames, clips.labels.tolist(), clips.devices, self.audio.key])


@dataclass(frozen=True)
class Data:
    """The clips of a run.

    Every list is read and every file decoded when this is made, so that faulty data is refused
    before any training.

    Attributes:
        scenes: class names in label order.
        split: percentage of the training list.
        train: the training clips of this split.
        test: the dev-test clips.
        evaluation: names of the unlabelled evaluation clips.
        evaluation_audio: their waveforms, or None without an evaluation set.
        record: what tells these clips from others, for the record of a run.
        warnings: what to mind about the lists, a line each; for the report.
    """

    scenes: tuple[str, ...]
    split: int
    train: ClipSet
    test: ClipSet
    evaluation: tuple[str, ...]
    evaluation_audio: Waveforms | None
    record: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


def load_data(
    corpus: Corpus,
    split: int,
    evaluation: Place | None,
    stores: Path,
    *,
    seconds: float = tau.CLIP_SECONDS,
) -> Data:
    """Reads the lists and brings every clip they name into the waveform stores.

    Args:
        corpus: development clips.
        split: 5, 10, 25, 50 or 100.
        evaluation: folder of the unlabelled evaluation clips, or None.
        stores: folder of the waveform stores, shared by all runs.
        seconds: length of every clip.

    Raises:
        InputError: a list or a clip is not as expected, or a clip is in two lists.
    """
    return decoded(read_split(corpus, split, evaluation), split, stores, seconds=seconds)


def decoded(lists: Lists, split: int, stores: Path, *, seconds: float = tau.CLIP_SECONDS) -> Data:
    """Brings every clip of the lists into the waveform stores; see `load_data`."""
    lists.log_warnings()
    root, evaluation = lists.corpus.root, None

    def waveforms(folder: Place, filenames: tuple[str, ...]) -> Waveforms:
        return mono_waveforms(stores, folder, filenames, seconds=seconds)

    train = ClipSet(lists.train, waveforms(root, lists.train.filenames))
    test = ClipSet(lists.test, waveforms(root, lists.test.filenames))
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
        warnings=lists.warnings,
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
        """Changes with the labels or one of the files."""
        return fingerprint([self.labels.tolist(), self.audio.key])


@dataclass(frozen=True)
class TaggedData:
    """The clips of a multi-label run: trained on, searched on, and scored once.

    Attributes:
        classes: their names, in label order.
        train: to train on.
        validation: to search on.
        test: to score.
        lists: what tells the lists that they come from from others; nothing where the sets do.
        warnings: what to mind about the lists, a line each; for the report.
    """

    classes: tuple[str, ...]
    train: TaggedSet
    validation: TaggedSet
    test: TaggedSet
    lists: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def record(self) -> dict[str, Any]:
        """What tells these clips from others, for the record of a run."""
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
    """Mixtures of scene clips, see `corpora.mixtures`.

    Args:
        lists: of scene clips, with `MIXED_SPLIT`'s training list.
        stores: folder of the waveform stores, shared by all runs.
        train: mixtures to train on.
        validation: mixtures of other locations, to search on.
        test: mixtures of the dev-test list.
        seconds: length of every clip.
        mixture_seconds: length of a mixture, at least that of the clips; None for theirs.
        seed: of the mixtures.

    Raises:
        InputError: a clip is not as expected.
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
    """AudioSet's balanced list, a validation sample of the unbalanced one, the evaluation list.

    Args:
        audioset: a copy of it.
        stores: folder of the waveform stores, shared by all runs.
        validation: clips of the validation sample.
        seconds: what clips are cut or extended to.
        seed: of the sample.

    Raises:
        InputError: a list or a clip is not as expected, or a video is in two lists.
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
    root: Place,
    filenames: Sequence[str],
    sample_rate: int,
    seconds: float,
    *,
    copy_mono: bool = False,
    writers: int = 1,
) -> Waveforms:
    """Waveforms of two channels, (clips, samples, 2), in a store of their own.

    Args:
        stores: folder of the waveform stores, shared by all runs.
        root: folder of the clips.
        filenames: clips below `root`.
        sample_rate: in Hz.
        seconds: length of every clip.
        copy_mono: whether mono clips are taken, their channel for both.
        writers: processes that write the store.

    Raises:
        InputError: a clip is not as expected.
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
    root: Place,
    filenames: Sequence[str],
    *,
    seconds: float = tau.CLIP_SECONDS,
    exact: bool = True,
    writers: int = 1,
) -> Waveforms:
    """Waveforms of one channel, (clips, samples), at `SAMPLE_RATE`.

    Args:
        stores: folder of the waveform stores, shared by all runs.
        root: folder of the clips.
        filenames: clips below `root`.
        seconds: length of every clip.
        exact: whether clips must have that length and one channel, or are brought to them.
        writers: processes that write the store.

    Raises:
        InputError: a clip is not as expected.
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


def _check_length(root: Place, filenames: Sequence[str], seconds: float) -> None:
    """Names the flag, and what to give, where all clips have a length that was not expected.

    The first clip stands for all of them. What is wrong with it otherwise, or with others alone, is
    for the ingest to say.
    """
    for path in (root / name for name in filenames[:1]):
        try:
            with open_audio(path) as recording:
                found = (recording.promised or 0) / recording.sample_rate
        except InputError:
            return
        if found and round(found * SAMPLE_RATE) != round(seconds * SAMPLE_RATE):
            raise InputError(
                "clips are not as long as --seconds says",
                where=path,
                expected=f"{seconds:g} s",
                received=f"{found:.9g} s; give --seconds={found:.9g} if all are that long",
            )


def _store_name(root: Place) -> str:
    folder = root.resolve()
    return f"{folder.name}-{fingerprint(str(folder))[:8]}"
