"""A small corpus of constant clips, and functions that read its store."""

import numpy as np
import pytest

from dcase_system.audio.store import decoding, ingest
from tests.audio.audio_files import wav_bytes

RATE = 8_000
ROW_BYTES = 2 * RATE


def write_clip(path, value: float, rate: int = RATE, seconds: float = 1.0, channels: int = 1):
    samples = np.full((round(rate * seconds), channels), value)
    path.write_bytes(wav_bytes(samples, rate, 24))


def names(*indices):
    return [f"{index}.wav" for index in indices]


def write_corpus(root, clips):
    """Writes clips with constant values: their numbers in hundredths."""
    root.mkdir()
    for index in range(clips):
        write_clip(root / f"{index}.wav", index / 100)
    return root


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path / "corpus", 6)


def stored(store, root, clips, *, clips_a_block=2, **more):
    """Ingests in small blocks."""
    return ingest(
        store, root, clips, sample_rate=RATE, block_bytes=clips_a_block * ROW_BYTES, **more
    )


def stored_values(waveforms):
    """The value of each clip, in hundredths."""
    middle = waveforms.gather(np.arange(len(waveforms)))[:, RATE // 2]
    return [round(100 * float(value)) for value in middle]


def names_in(store):
    """Returns the clips of the index, by their rows."""
    lines = (store / "index.tsv").read_bytes().decode("utf-8", "surrogateescape").split("\n")
    return [line.rsplit("\t", 2)[0] for line in lines[:-1]]


def rows_done(store):
    """Returns the numbers of the rows that are marked as done."""
    return np.flatnonzero(np.fromfile(store / "done.u4", "<u4")).tolist()


def contents(store):
    """All files of a store but its locks."""
    return {path.name: path.read_bytes() for path in store.iterdir() if path.suffix}


def count_decodes(monkeypatch):
    decoded = []
    original = decoding.decode_clip
    monkeypatch.setattr(
        decoding,
        "decode_clip",
        lambda path, store_format: decoded.append(path.name) or original(path, store_format),
    )
    return decoded
