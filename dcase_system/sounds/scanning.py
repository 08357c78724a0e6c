"""Cuts a recording into windows and notes what is doubtful about it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from dcase_system.audio.clips import SAMPLE_RATE
from dcase_system.audio.decode import mono, open_audio, resample_blocks
from dcase_system.audio.levels import level_notes
from dcase_system.core.errors import InputError
from dcase_system.sounds.recordings import Recording


@dataclass(frozen=True)
class Window:
    """A window of a recording, and the file that it was written to."""

    file: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True)
class Scanned:
    """What was found in a recording.

    Attributes:
        recording: The recording.
        seconds: Its length; 0 if it could not be decoded.
        sample_rate: Sample rate of the file in Hz.
        channels: Number of channels of the file.
        windows: The windows that were written.
        digest: SHA-256 of its samples at the windows' rate and 16 bits: equal for equal audio.
        notes: `silent`, `clipped`, `too short`, or the reason why it could not be decoded.
    """

    recording: Recording
    seconds: float = 0.0
    sample_rate: int = 0
    channels: int = 0
    windows: tuple[Window, ...] = ()
    digest: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_usable(self) -> bool:
        return bool(self.windows)


def scan(
    root: Path,
    recording: Recording,
    folder: Path,
    stem: str,
    *,
    window_seconds: float,
    hop_seconds: float,
    sample_rate: int = SAMPLE_RATE,
) -> Scanned:
    """Writes the windows of a recording as mono WAV files of 16 bits.

    Samples of 16 bits at the windows' rate stay as they are.

    The last window ends with the recording, and so may overlap the one before. A recording shorter
    than a window, but at least half as long, gives one window that ends in silence. Silent and
    shorter recordings give none.

    Args:
        root: Data folder.
        recording: The recording.
        folder: Folder of the windows.
        stem: Beginning of their file names.
        window_seconds: Length of a window.
        hop_seconds: Time from the start of one window to the next.
        sample_rate: Sample rate of the windows in Hz.
    """
    try:
        samples, rate, channels = _decoded(root, recording, sample_rate)
    except InputError as error:
        return Scanned(recording, notes=(str(error),))
    seconds, length = len(samples) / sample_rate, round(window_seconds * sample_rate)
    notes = level_notes(samples)
    if len(samples) < length / 2:
        notes += ("too short",)
    pcm = np.clip(np.round(samples * 32_768), -32_768, 32_767).astype(np.int16)
    windows = []
    if "silent" not in notes and "too short" not in notes:
        starts = _starts(len(samples), length, round(hop_seconds * sample_rate))
        for number, start in enumerate(starts):
            name = f"{stem}-{number:05d}.wav"
            window = np.pad(pcm[start : start + length], (0, max(0, length - len(pcm))))
            soundfile.write(folder / name, window, sample_rate, subtype="PCM_16")
            begin = recording.start_seconds + start / sample_rate
            windows.append(Window(name, begin, min(begin + window_seconds, begin + seconds)))
    digest = hashlib.sha256(pcm.tobytes()).hexdigest()
    return Scanned(recording, seconds, rate, channels, tuple(windows), digest, notes)


def _decoded(root: Path, recording: Recording, sample_rate: int) -> tuple[np.ndarray, int, int]:
    """Returns samples (samples,) at a rate, and the rate and channels of the file."""
    with open_audio(root / recording.path) as opened:
        rate, channels = opened.sample_rate, opened.channels
        end = recording.end_seconds
        first = round(recording.start_seconds * rate)
        length = None if end is None else round(end * rate) - first
        blocks = _until(length, map(mono, opened.blocks(start=first)))
        resampled = list(resample_blocks(blocks, rate, sample_rate))
    return np.concatenate([np.zeros((0, 1), np.float32), *resampled])[:, 0], rate, channels


def _until(samples: int | None, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Yields the first samples, and reads no block behind them; all for None."""
    left = samples
    for block in blocks:
        yield block[:left]
        if left is not None:
            left -= len(block)
            if left <= 0:
                return


def _starts(samples: int, length: int, hop: int) -> list[int]:
    if samples <= length:
        return [0]
    starts = list(range(0, samples - length + 1, hop))
    if starts[-1] + length < samples:
        starts.append(samples - length)
    return starts
