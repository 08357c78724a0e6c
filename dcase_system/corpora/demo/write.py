"""Writes the demo corpus: clips, labels and lists."""

import logging
import wave
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.core.files import locked, read_json, replacing_directory, write_json
from dcase_system.corpora import tau
from dcase_system.corpora.corpus import DEVICE_ID, META_COLUMNS
from dcase_system.corpora.demo.devices import DEVICES, record
from dcase_system.corpora.demo.plan import FULL, DemoSize, Segment, plan_development
from dcase_system.corpora.demo.scenes import draw_site, render
from dcase_system.corpora.demo.signals import RATE_HZ
from dcase_system.corpora.demo_marker import MARKER

_LOG = logging.getLogger(__name__)
_VERSION = 2  # of the sounds, the plan and the lists; a corpus of another version is replaced
_EVALUATION_PLACES = 4  # per scene
LABELLED = ("filename", "scene_label")

Progress = Callable[[int, int], None]
"""Called with the number of clips written and the total number."""


@dataclass(frozen=True)
class DemoCorpus:
    """Folders of a demo corpus: development set in a TAU layout, and evaluation set."""

    development: Path
    evaluation: Path


def write_demo_corpus(
    directory: str | Path,
    *,
    seed: int = 0,
    size: DemoSize = FULL,
    progress: Progress | None = None,
) -> DemoCorpus:
    """Synthesises the demo corpus, unless it exists in `directory`.

    The same seed and size give the same bytes. The folder appears only when it is complete.

    Args:
        directory: Folder of the corpus, created; another demo corpus in it is replaced.
        seed: Seed of all randomness.
        size: Size of the corpus; the default takes 260 MB and 20 s.
        progress: Called after each clip.

    Raises:
        InputError: `directory` holds something other than a demo corpus, or the seed is
            negative.
        OSError: Writing failed.
    """
    directory = Path(directory)
    if seed < 0:
        raise InputError("seed is negative", where="seed of the demo corpus", received=seed)
    wanted = {"version": _VERSION, "seed": seed, **asdict(size)}
    corpus = DemoCorpus(directory / "development", directory / "evaluation")
    with one_writer(directory):
        if standing(directory) != wanted:
            _write(directory, size, seed, wanted, progress)
    return corpus


@contextmanager
def one_writer(directory: Path) -> Iterator[None]:
    """Locks a demo corpus while it is written, so that a second process waits and then uses it."""

    def on_wait() -> None:
        _LOG.info("another process is writing %s: waiting for it", directory)

    lock = directory.with_name(f"{directory.name}.lock")
    with locked(lock, on_wait):
        try:
            yield
        finally:
            lock.unlink()  # who waits for it then makes another


def _write(
    directory: Path, size: DemoSize, seed: int, wanted: object, progress: Progress | None
) -> None:
    segments = plan_development(size, seed)
    takes = sum(len(segment.devices) for segment in segments)
    counter = Counter(takes * size.pieces + size.evaluation_clips, progress)
    with replacing_directory(directory) as temporary:
        _write_development(temporary / "development", segments, size.pieces, seed, counter)
        _write_evaluation(temporary / "evaluation", size.evaluation_clips, seed, counter)
        write_json(temporary / MARKER, wanted)


def standing(directory: Path) -> object:
    """Returns the parameters of the demo corpus in a folder; None if it is missing or empty."""
    marker = directory / MARKER
    if not directory.exists():
        return None
    if directory.is_dir():
        if not any(directory.iterdir()):
            return None
        try:
            return read_json(marker)
        except (FileNotFoundError, ValueError):
            pass
    # It would be replaced, and might be somebody's work.
    raise InputError(
        "folder is not empty and not a demo corpus",
        where=directory,
        expected=f"{MARKER} in it, or a new folder",
    )


def _write_development(
    root: Path, segments: Sequence[Segment], pieces: int, seed: int, written: "Counter"
) -> None:
    (root / "audio").mkdir(parents=True)
    for segment in segments:
        site = draw_site(segment.scene, np.random.default_rng([seed, segment.location]))
        generator = np.random.default_rng([seed, segment.location, segment.number])
        heard = render(site, pieces * RATE_HZ, generator)
        for device in segment.devices:
            take = record(heard, device, generator)
            for piece, second in enumerate(np.split(take, pieces)):
                write_wav(root / segment.filename(piece, device), second)
                written.one_more()

    def clips(segment: Segment, devices: Iterable[str]) -> list[tuple[str, ...]]:
        return [
            (segment.filename(piece, device), segment.scene, segment.identifier, device)
            for device in devices
            for piece in range(pieces)
        ]

    meta = [clip for segment in segments for clip in clips(segment, segment.devices)]
    listed = {
        percent: [c for s in segments if percent in s.splits for c in clips(s, s.listed)]
        for percent in tau.SPLITS
    }
    test = [clip for s in segments if not s.splits for clip in clips(s, s.listed)]
    write_list(root / "meta.csv", META_COLUMNS, meta)
    for percent, rows in listed.items():
        write_list(root / "split_setup" / f"split{percent}.csv", LABELLED, rows)
    write_list(root / "split_setup" / "test.csv", LABELLED, test)
    write_list(root / "evaluation_setup" / "fold1_train.csv", LABELLED, listed[100])
    write_list(root / "evaluation_setup" / "fold1_evaluate.csv", LABELLED, test)
    write_list(root / "evaluation_setup" / "fold1_test.csv", ("filename",), test)


def _write_evaluation(root: Path, clips: int, seed: int, written: "Counter") -> None:
    (root / "audio").mkdir(parents=True)
    order = np.random.default_rng([seed, 9_999]).permutation(clips)
    rows: list[tuple[str, ...]] = []
    for clip, drawn in enumerate(order.tolist()):
        scene = tau.SCENES[drawn % len(tau.SCENES)]
        generator = np.random.default_rng([seed, 10_000, clip])
        location = 10_001 + drawn % (len(tau.SCENES) * _EVALUATION_PLACES)
        site = draw_site(scene, np.random.default_rng([seed, location]))
        heard = render(site, RATE_HZ, generator)
        device = str(generator.choice(list(DEVICES)))
        write_wav(root / "audio" / f"{clip}.wav", record(heard, device, generator))
        rows.append((f"audio/{clip}.wav", device))
        written.one_more()
    write_list(root / "evaluation_setup" / "fold1_test.csv", ("filename", DEVICE_ID), rows)


def write_list(path: Path, columns: Sequence[str], rows: Iterable[tuple[str, ...]]) -> None:
    """Writes a tab-separated list; drops fields beyond the columns."""
    path.parent.mkdir(exist_ok=True)
    lines = ["\t".join(columns), *("\t".join(row[: len(columns)]) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_wav(path: Path, signal: np.ndarray, rate_hz: int = RATE_HZ) -> None:
    """Writes a WAV file of 24-bit samples, as in TAU.

    Args:
        path: The file.
        signal: Samples from -1 to 1, shape (samples,) or (samples, channels).
        rate_hz: Sample rate in Hz.
    """
    channels = signal.shape[1] if signal.ndim == 2 else 1
    integers = np.ascontiguousarray(np.round(signal * (2**23 - 1)).astype("<i4"))
    # The three low bytes of a little-endian 32-bit integer form the 24-bit integer.
    data = integers.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    with wave.open(str(path), "wb") as stream:
        stream.setparams((channels, 3, rate_hz, 0, "NONE", "not compressed"))
        stream.writeframes(data)


@dataclass
class Counter:
    """Counts the written clips and reports progress."""

    total: int
    progress: Progress | None
    done: int = 0

    def one_more(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)
