"""Any audio as the windows that a network takes."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from dcase_system.audio.decode import resample
from dcase_system.edge.contract import Contract
from dcase_system.errors import InputError

# By the names of ALSA's arecord: type of a sample, and its full scale.
PCM_FORMATS = {"S16_LE": ("<i2", 2**15), "S32_LE": ("<i4", 2**31), "FLOAT_LE": ("<f4", 1)}
_SILENT_PEAK = 1e-4  # -80 dB of full scale
_CLIPPED_LEVEL, _CLIPPED_SHARE = 0.999, 1e-3


@dataclass(frozen=True, eq=False)
class Window:
    """A stretch of audio as a network takes it.

    Attributes:
        start_seconds: where it begins.
        waveform: of the contract's `waveform_shape`.
        notes: what makes its classification doubtful.
    """

    start_seconds: float
    waveform: np.ndarray
    notes: tuple[str, ...]


@dataclass(frozen=True)
class PCMFormat:
    """Raw samples: a name of `PCM_FORMATS`, rate in Hz, channels (interleaved)."""

    name: str
    sample_rate: int
    channels: int = 1


def windows_of(
    samples: np.ndarray, sample_rate: int, contract: Contract, hop_seconds: float | None = None
) -> Iterator[Window]:
    """The windows of a recording of any length, rate and number of channels.

    Windows follow each other every `hop_seconds`, by default without overlap. What is left at the
    end is dropped, unless it is all there is: then it is repeated until it fills a window.

    Args:
        samples: (samples, channels), full scale = 1.
        sample_rate: in Hz.
        contract: of the network.
        hop_seconds: from the start of a window to that of the next.

    Raises:
        InputError: there are no samples, or the channels do not fit the network.
    """
    if len(samples) == 0:
        raise InputError("no samples", where="audio", expected="at least one")
    samples, notes = _fit_channels(samples, contract.channels)
    samples = resample(samples, sample_rate, contract.sample_rate)
    hop = contract.samples
    if hop_seconds is not None:
        hop = max(1, round(hop_seconds * contract.sample_rate))
    if len(samples) < contract.samples:
        notes = (*notes, f"repeated: shorter than {_seconds(contract)}")
        samples = np.resize(samples, (contract.samples, samples.shape[1]))
    for start in range(0, len(samples) - contract.samples + 1, hop):
        waveform = samples[start : start + contract.samples]
        yield Window(
            start / contract.sample_rate,
            waveform.reshape(contract.waveform_shape),
            (*notes, *_doubts(waveform)),
        )


def pcm_windows(
    stream: BinaryIO, form: PCMFormat, contract: Contract, hop_seconds: float | None = None
) -> Iterator[Window]:
    """The windows of a stream of raw samples, each as soon as it is there.

    What is left when the stream ends is treated as at the end of a recording.

    Raises:
        InputError: the stream has no samples, is not raw, or has NaN samples.
    """
    kind, full_scale = PCM_FORMATS[form.name]
    frame = np.dtype(kind).itemsize * form.channels
    length = math.ceil(contract.samples * form.sample_rate / contract.sample_rate)
    hop = length if hop_seconds is None else max(1, round(hop_seconds * form.sample_rate))
    held, start, skipped = b"", 0, 0
    while True:
        if skipped:  # hops that are longer than a window
            stream.read(skipped * frame)
        new = stream.read(length * frame - len(held))
        if start == 0 and new[:4] == b"RIFF":
            raise InputError(
                "stream begins like a WAV file",
                where="standard input",
                expected="raw samples (arecord: -t raw)",
            )
        held += new
        whole = len(held) // frame
        if whole < length and start > 0:
            return
        values = np.frombuffer(held[: whole * frame], kind).reshape(-1, form.channels)
        samples = (values / full_scale).astype(np.float32)
        if not np.isfinite(samples).all():
            raise InputError(
                "NaN or infinite samples", where="standard input", expected=f"{form.name} samples"
            )
        for window in windows_of(samples, form.sample_rate, contract):
            yield Window(start / form.sample_rate, window.waveform, window.notes)
        if whole < length:
            return
        held, start, skipped = held[hop * frame :], start + hop, max(0, hop - length)


def band_note(sample_rate: int, contract: Contract) -> str | None:
    """What a lower sample rate than the network's leaves out."""
    if sample_rate >= contract.sample_rate:
        return None
    return (
        f"sampled at {sample_rate:,} Hz: nothing above {sample_rate // 2:,} Hz, "
        f"where the network has heard up to {contract.sample_rate // 2:,}"
    )


def _fit_channels(samples: np.ndarray, channels: int) -> tuple[np.ndarray, tuple[str, ...]]:
    found = samples.shape[1]
    if found == channels:
        return samples, ()
    if channels == 1:
        return samples.mean(axis=1, keepdims=True), ()
    if found == 1:
        return np.repeat(samples, channels, axis=1), (f"one channel for all {channels}",)
    raise InputError(
        "wrong number of channels", where="audio", expected=f"1 or {channels}", received=found
    )


def _doubts(waveform: np.ndarray) -> tuple[str, ...]:
    level = np.abs(waveform)
    if level.max() < _SILENT_PEAK:
        return ("silent",)
    return ("clipped",) if (level >= _CLIPPED_LEVEL).mean() >= _CLIPPED_SHARE else ()


def _seconds(contract: Contract) -> str:
    return f"{contract.samples / contract.sample_rate:g} s"
