"""Cuts audio into the windows that a network takes."""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from dcase_system.audio.decode import mono, resample_blocks
from dcase_system.audio.levels import level_notes
from dcase_system.core.errors import InputError
from dcase_system.models.signature import ModelSignature

_LEAST_REST_SECONDS = 0.005  # that is noted: less would be said to be 0.00 s


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
) -> Generator[Window, None, float]:
    """Yields the windows of a recording of any length, rate and number of channels.

    Each window is yielded as soon as it is complete. Windows start every `hop_seconds`, by default
    without overlap. A rest at the end is in no window, unless the recording is shorter than a
    window: then it is repeated to fill one. At most a window and a block are held in memory.

    Args:
        blocks: Blocks of the recording in order: (samples, channels) float32, full scale = 1.
        sample_rate: Sample rate in Hz.
        signature: Signature of the network.
        hop_seconds: Time from the start of one window to the next.

    Returns:
        Length of the rest at the end, in seconds.

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

    def window(start: int, waveform: np.ndarray) -> Window:
        return _window(start, waveform, notes, signature)

    rest = yield from _stretches(resampled, signature.samples, hop, window)
    return rest / signature.sample_rate


def rest_note(seconds: float) -> str | None:
    """Describes a rest at the end of a recording that is in no window; None if there is none."""
    return f"last {seconds:.2f} s not classified" if seconds >= _LEAST_REST_SECONDS else None


def with_rest_noted(windows: Generator[Window, None, float]) -> Iterator[Window]:
    """Adds a note to the last window about the rest behind it.

    Each window waits for the next one, or for an error: only for recordings, not for a microphone.

    Args:
        windows: What `windows_of` returns.
    """
    held = None
    try:
        while True:
            window = next(windows)
            if held is not None:
                yield held
            held = window
    except StopIteration as end:
        note = rest_note(end.value)
        if held is not None:
            yield replace(held, notes=(*held.notes, note)) if note else held
    except InputError:
        if held is not None:
            yield held
        raise


def _stretches(
    blocks: Iterable[np.ndarray],
    length: int,
    hop: int,
    window: Callable[[int, np.ndarray], Window],
) -> Generator[Window, None, int]:
    """Yields `window` of the start and samples of each; of the whole recording if it is shorter.

    Returns:
        Samples behind the last window.
    """
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
            yield window(start, samples[:length])
            start, skipped = start + hop, max(0, hop - len(samples))
            samples = samples[hop:]
        held, held_length = [samples], len(samples)
    if start == 0:
        yield window(0, np.concatenate(held))
        return 0
    return held_length - skipped + hop - length


def _window(
    start: int, waveform: np.ndarray, notes: tuple[str, ...], signature: ModelSignature
) -> Window:
    if len(waveform) == 0:
        raise InputError("no samples", where="audio", expected="at least one")
    if len(waveform) < signature.samples:
        notes = (*notes, f"repeated: shorter than {_seconds(signature)}")
        waveform = np.resize(waveform, (signature.samples, signature.channels))
    return Window(
        start / signature.sample_rate,
        waveform.reshape(signature.waveform_shape),
        (*notes, *level_notes(waveform)),
    )


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


def _seconds(signature: ModelSignature) -> str:
    return f"{signature.samples / signature.sample_rate:g} s"
