"""Clips made for the benchmarks: noise in the form of TAU's, 44.1 kHz, 24 bit, one second."""

import os
from pathlib import Path

import numpy as np
import soundfile

SOURCE_RATE, SAMPLE_RATE, SCENES = 44_100, 32_000, 10
_DIFFERENT = 64  # files that are written; the other names are links to them


def write_clips(folder: Path, count: int) -> list[str]:
    """Writes clips into a folder; their names. Beyond the first few they are hard links."""
    generator = np.random.default_rng(0)
    names = [f"{at:06d}.wav" for at in range(count)]
    for at, name in enumerate(names):
        if at < _DIFFERENT:
            noise = 0.1 * generator.normal(size=SOURCE_RATE)
            soundfile.write(folder / name, noise, SOURCE_RATE, "PCM_24")
        else:
            os.link(folder / names[at % _DIFFERENT], folder / name)
    return names


def waveforms(count: int) -> np.ndarray:
    """(count, 32,000) float32 noise at the rate of the stores."""
    noise = np.random.default_rng(0).normal(size=(count, SAMPLE_RATE))
    return (0.1 * noise).astype(np.float32)


def labels(count: int) -> np.ndarray:
    """(count, 10) one-hot targets."""
    return np.eye(SCENES, dtype=np.float32)[np.arange(count) % SCENES]
