"""Mixes stored clips."""

import numpy as np

from dcase_system.audio.store import Waveforms
from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint

_FULL_SCALE = 2**15 - 1


def mix(
    waveforms: Waveforms,
    sources: np.ndarray,
    gains: np.ndarray,
    offsets: np.ndarray,
    samples: int,
) -> Waveforms:
    """Mixes clips in memory: int16 (mixtures, samples).

    A mixture that would exceed full scale is scaled down as a whole.

    Args:
        waveforms: Clips to mix.
        sources: Positions of the clips of each mixture (mixtures, most clips), padded with -1.
        gains: Factors, of the same shape.
        offsets: Start of each clip, of the same shape, from 0 (earliest possible) to 1 (latest).
        samples: Length of a mixture, at least that of a clip.

    Raises:
        InputError: The mixtures are shorter than the clips, or a source is not among the clips.
    """
    length = waveforms.shape[0]
    if samples < length or sources.max() >= len(waveforms):
        raise InputError(
            "clips do not fit the mixtures",
            where="mixtures",
            expected=f"{sources.max() + 1} clips of at most {samples} samples",
            received=f"{len(waveforms)} clips of {length}",
        )
    mixed = np.zeros((len(sources), samples), np.int16)
    starts = np.floor(offsets * (samples - length + 1)).astype(np.int64)
    starts = np.minimum(starts, samples - length)
    for row in range(len(sources)):
        heard = np.flatnonzero(sources[row] >= 0)
        clips = waveforms.gather(sources[row, heard]) * gains[row, heard, None]
        mixture = np.zeros(samples, np.float32)
        for start, clip in zip(starts[row, heard], clips, strict=True):
            mixture[start : start + length] += clip
        mixture /= max(1.0, float(np.abs(mixture).max()))
        mixed[row] = np.rint(mixture * _FULL_SCALE)
    drawn = [sources.tolist(), gains.tolist(), starts.tolist()]
    return Waveforms(mixed, np.arange(len(sources)), fingerprint([waveforms.key, samples, drawn]))
