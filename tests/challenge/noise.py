"""Clips of noise in memory, for tests in which their sounds are not the point."""

from collections.abc import Mapping

import numpy as np

from dcase_system.audio.clips import ClipSet, Data
from dcase_system.audio.store import Waveforms
from dcase_system.corpora import tau
from dcase_system.corpora.corpus import Clips


def noisy_clips(counts: Mapping[str, int], samples: int, name: str) -> ClipSet:
    """So many clips of each device; scenes take turns, and two clips in a row share a place."""
    devices = tuple(device for device, clips in counts.items() for _ in range(clips))
    clips = range(len(devices))
    noise = np.random.default_rng(len(name)).integers(-9_999, 9_999, (len(clips), samples))
    return ClipSet(
        Clips(
            filenames=tuple(f"audio/{name}-{at}-{devices[at]}.wav" for at in clips),
            labels=np.arange(len(clips)) % len(tau.SCENES),
            locations=tuple(f"{name}-{at // 2}" for at in clips),
            devices=devices,
        ),
        Waveforms(noise.astype(np.int16), np.arange(len(clips)), name),
    )


def noisy_data(
    train: Mapping[str, int], test: Mapping[str, int] | None = None, samples: int = 32_000
) -> Data:
    """The clips of a run: so many of each device in training and, if given, in the test list."""
    return Data(
        scenes=tau.SCENES,
        split=25,
        train=noisy_clips(train, samples, "train"),
        test=noisy_clips(test, samples, "test") if test else None,  # type: ignore[arg-type]
        evaluation=(),
        evaluation_audio=None,
        record={},
    )
