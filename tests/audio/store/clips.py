"""A small corpus of constant clips, and what the tests look at in a store of it."""

import numpy as np
import pytest

from dcase_system.audio.store import ingest, write
from dcase_system.audio.store.shards import shards_of
from tests.audio.audio_files import wav_bytes

RATE = 8_000
ROW_BYTES = 2 * RATE


def write_clip(path, value: float, rate: int = RATE, seconds: float = 1.0, channels: int = 1):
    samples = np.full((round(rate * seconds), channels), value)
    path.write_bytes(wav_bytes(samples, rate, 24))


def names(*indices):
    return [f"{index}.wav" for index in indices]


def write_corpus(root, clips):
    """Clips whose values are their numbers in hundredths."""
    root.mkdir()
    for index in range(clips):
        write_clip(root / f"{index}.wav", index / 100)
    return root


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path / "corpus", 6)


def stored(store, root, clips, *, clips_a_shard=2, **more):
    """An ingest into small shards."""
    return ingest(
        store, root, clips, sample_rate=RATE, shard_bytes=clips_a_shard * ROW_BYTES, **more
    )


def stored_values(waveforms):
    """The value of each clip, in hundredths."""
    middle = waveforms.gather(np.arange(len(waveforms)))[:, RATE // 2]
    return [round(100 * float(value)) for value in middle]


def planned_names(store):
    """The clips of each shard by its number."""
    return {
        shard.number: [line.rsplit("\t", 2)[0] for line in shard.lines()]
        for shard in shards_of(store)
    }


def contents(store):
    """All files of a store but its locks."""
    return {path.name: path.read_bytes() for path in store.iterdir() if path.suffix}


def count_decodes(monkeypatch):
    decoded = []
    original = write.decode_clip
    monkeypatch.setattr(
        write, "decode_clip", lambda path, form: decoded.append(path.name) or original(path, form)
    )
    return decoded
