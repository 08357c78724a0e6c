"""Folders of recordings like those of users."""

import numpy as np
import soundfile

RATES = {"bus": 44_100, "park": 22_050, "Straße 5%": 48_000}


def write(path, seconds, rate=44_100, channels=1, *, seed=0, level=0.1):
    """Noise of a colour of its class: each seed is another recording."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(0, level, (round(seconds * rate), channels))
    tone = np.sin(2 * np.pi * 200 * (1 + len(path.parent.name)) * np.arange(len(noise)) / rate)
    samples = np.clip(noise + level * tone[:, None], -1, 1)
    soundfile.write(path, samples, rate, format="WAV", subtype="PCM_16")


def write_folders(root, recordings=4, seconds=2.5):
    """Three classes: other rates and channels, and names that need care."""
    for number, (label, rate) in enumerate(RATES.items()):
        for index in range(recordings):
            name = f"site {index % 2}#{index}.WAV" if index else "ü.wav"
            folder = root / label / ("deep/er" if index == 1 else "")
            write(folder / name, seconds, rate, 1 + index % 2, seed=10 * number + index)
    return root
