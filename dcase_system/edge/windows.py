"""Cuts audio into the windows that a network takes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from dcase_system.audio.decode import mono, resample_blocks
from dcase_system.core.errors import InputError
from dcase_system.models.signature import ModelSignature

_SILENT_PEAK = 1e-4  # -80 dB of full scale
_CLIPPED_LEVEL, _CLIPPED_SHARE = 0.999, 1e-3


@dataclass(frozen=True, eq=False)
class Window:
    """A window of audio.

    Attributes:
        start_seconds: Start in the recording.
        waveform: Samples in the signature's `waveform_shape`.
        notes: Reasons to doubt its classification.
    """

    start_seconds: float
    waveform: np.ndarray
    notes: tuple[str, ...]


def windows_of(
    blocks: Iterable[np.ndarray],
    sample_rate: int,
    signature: ModelSignature,
    hop_seconds: float | None = None,
) -> Iterator[Window]:
    """Yields the windows of a recording of any length, rate and number of channels.

    Each window is yielded as soon as it is complete. Windows start every `hop_seconds`, by default
    without overlap. A rest at the end is dropped, unless the recording is shorter than a window:
    then it is repeated to fill one. At most a window and a block are held in memory.

    Args:
        blocks: Blocks of the recording in order: (samples, channels) float32, full scale = 1.
        sample_rate: Sample rate in Hz.
        signature: Signature of the network.
        hop_seconds: Time from the start of one window to the next.

    Raises:
        InputError: There are no samples, or the channels do not fit the network.
    """
    blocks = iter(blocks)
    first = next(blocks, np.empty((0, signature.channels), np.float32))
    notes = _channel_notes(first.shape[1], signature.channels)
    fitted = (_fit_channels(block, signature.channels) for block in chain([first], blocks))
    resampled = resample_blocks(fitted, sample_rate, signature.sample_rate)
    hop = signature.samples
    if hop_seconds is not None:
        hop = max(1, round(hop_seconds * signature.sample_rate))
    for start, waveform in _stretches(resampled, signature.samples, hop):
        if len(waveform) == 0:
            raise InputError("no samples", where="audio", expected="at least one")
        if len(waveform) < signature.samples:
            notes = (*notes, f"repeated: shorter than {_seconds(signature)}")
            waveform = np.resize(waveform, (signature.samples, signature.channels))
        yield Window(
            start / signature.sample_rate,
            waveform.reshape(signature.waveform_shape),
            (*notes, *_doubts(waveform)),
        )


def _stretches(
    blocks: Iterable[np.ndarray], length: int, hop: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yields start and samples of each window; the whole recording if it is shorter."""
    start, skipped = 0, 0
    held, held_length = [], 0
    for block in blocks:
        block, skipped = block[skipped:], max(0, skipped - len(block))
        held.append(block)
        held_length += len(block)
        if held_length < length:
            continue
        samples = np.concatenate(held)
        while len(samples) >= length:
            yield start, samples[:length]
            start, skipped = start + hop, max(0, hop - len(samples))
            samples = samples[hop:]
        held, held_length = [samples], len(samples)
    if start == 0:
        yield 0, np.concatenate(held)


def band_note(sample_rate: int, signature: ModelSignature) -> str | None:
    """Describes what is missing at a sample rate below the network's."""
    if sample_rate >= signature.sample_rate:
        return None
    return (
        f"sampled at {sample_rate:,} Hz: nothing above {sample_rate // 2:,} Hz, "
        f"but the network was trained up to {signature.sample_rate // 2:,}"
    )


def _channel_notes(found: int, channels: int) -> tuple[str, ...]:
    if found == channels or channels == 1:
        return ()
    if found == 1:
        return (f"one channel for all {channels}",)
    raise InputError(
        "wrong number of channels", where="audio", expected=f"1 or {channels}", received=found
    )


def _fit_channels(samples: np.ndarray, channels: int) -> np.ndarray:
    if samples.shape[1] == channels:
        return samples
    if channels == 1:
        return mono(samples)
    return np.repeat(samples, channels, axis=1)


def _doubts(waveform: np.ndarray) -> tuple[str, ...]:
    level = np.abs(waveform)
    if level.max() < _SILENT_PEAK:
        return ("silent",)
    return ("clipped",) if (level >= _CLIPPED_LEVEL).mean() >= _CLIPPED_SHARE else ()


def _seconds(signature: ModelSignature) -> str:
    return f"{signature.samples / signature.sample_rate:g} s"
