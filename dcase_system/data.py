"""The clips of a run: lists read and files decoded before any training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dcase_system.audio.store import Waveforms, ingest
from dcase_system.corpora.corpus import Clips, Corpus, read_evaluation_list
from dcase_system.files import fingerprint
from dcase_system.progress import progress_bar

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
    """

    scenes: tuple[str, ...]
    split: int
    train: ClipSet
    test: ClipSet
    evaluation: tuple[str, ...]
    evaluation_audio: Waveforms | None


def load_data(corpus: Corpus, split: int, evaluation: Path | None, stores: Path) -> Data:
    """Reads the lists and brings every clip they name into the waveform stores.

    Args:
        corpus: development clips.
        split: 5, 10, 25, 50 or 100.
        evaluation: folder of the unlabelled evaluation clips, or None.
        stores: folder of the waveform stores, shared by all runs.

    Raises:
        InputError: a list or a clip is not as expected.
    """
    train, test = corpus.split(split), corpus.test()
    listed = read_evaluation_list(evaluation) if evaluation else ()
    return Data(
        scenes=corpus.scenes,
        split=split,
        train=ClipSet(train, _ingest(stores, corpus.root, train.filenames)),
        test=ClipSet(test, _ingest(stores, corpus.root, test.filenames)),
        evaluation=listed,
        evaluation_audio=_ingest(stores, evaluation, listed) if evaluation else None,
    )


def _ingest(stores: Path, root: Path, filenames: Sequence[str]) -> Waveforms:
    folder = root.resolve()
    store = stores / f"{folder.name}-{fingerprint(str(folder))[:8]}"
    with progress_bar(f"decoding {folder.name}", "clip") as show:
        return ingest(store, root, filenames, sample_rate=SAMPLE_RATE, on_progress=show)
