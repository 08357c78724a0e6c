"""The waveform store as a kind of input: one of its files is another; no clip may be wrong."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from dcase_system.audio.store import ingest
from tests.robustness.kinds import Kind, Read
from tests.robustness.mutations import mutated

_RATE, _SAMPLES = 8_000, 80
_CLIPS = [f"{at}.wav" for at in range(4)]
_FILES = ("format.json", "index.tsv", "done.u4", "waveforms.int16")
_TOKENS = (b"\t", b"\n", b".wav\t204\t", b'"', b": ", b"null", b"1e9", b"\0" * 4, b"\xff")


def _store(folder: Path) -> tuple[Sequence[bytes], Read]:
    audio, whole, store = folder / "audio", folder / "whole", folder / "store"
    audio.mkdir(exist_ok=True)
    expected = np.random.default_rng(0).integers(-9_000, 9_000, (len(_CLIPS), _SAMPLES))
    for name, samples in zip(_CLIPS, expected.astype(np.int16), strict=True):
        soundfile.write(audio / name, samples, _RATE, "PCM_16")
    form = {"sample_rate": _RATE, "clip_seconds": _SAMPLES / _RATE}
    ingest(whole, audio, _CLIPS[:3], **form)

    def read(content: bytes) -> object:
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(whole, store)
        at = next(iter(content), 0) % len(_FILES)
        (store / _FILES[at]).write_bytes(content[1:])
        waveforms = ingest(store, audio, _CLIPS[::-1], **form)
        found = np.rint(waveforms.gather(np.arange(len(_CLIPS))) * 2**15)
        # Samples that were changed in their place cannot be told from others.
        if _FILES[at] != "waveforms.int16" and not np.array_equal(found, expected[::-1]):
            raise AssertionError("other samples")
        return waveforms

    return [bytes([at]) + (whole / name).read_bytes() for at, name in enumerate(_FILES)], read


def _draw(seeds: Sequence[bytes], generator: np.random.Generator) -> bytes:
    seed = seeds[generator.integers(len(seeds))]
    return seed[:1] + mutated([seed[1:]], generator, _TOKENS)


STORES = (Kind("waveform stores", _store, _draw),)
