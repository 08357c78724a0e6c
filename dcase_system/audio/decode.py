"""Decodes with libsndfile and resamples with soxr, at once or block by block."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from dcase_system.audio.file_checks import check_file
from dcase_system.core.errors import InputError
from dcase_system.core.locations import Location, Url, as_location

SAMPLE_RATES = (100, 768_000)
"""Allowed range in Hz; a resampling filter grows with the rate."""

MOST_CHANNELS = 64
MOST_SAMPLES = 1 << 28
"""Limit of `read_audio`, over all channels; a few bytes of FLAC may expand to any number."""

_BLOCK_FRAMES = 1 << 16
_WHOLE_SAMPLES = 1 << 22  # samples of all channels per block when a whole file is read
_FORMATS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3")
_UNCOMPRESSED = ("PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
_UNKNOWN_LENGTH = (1 << 63) - 1


class _Sequential(soundfile.SoundFile):
    """A file read sequentially: soundfile would seek after every block.

    Seeking is slow in a FLAC and may never return in a truncated one.
    """

    def seekable(self) -> bool:
        return False


# Arrays and open files cannot be compared.
@dataclass(frozen=True, eq=False)
class Recording:
    """An open audio file.

    Attributes:
        sample_rate: Sample rate in Hz.
        channels: Number of channels.
        promised: Samples per channel according to the header; None if it does not say.
    """

    sample_rate: int
    channels: int
    promised: int | None
    _sound: _Sequential
    _where: Location
    _seeks: bool = False

    def blocks(self, frames: int | None = None, start: int = 0) -> Iterator[np.ndarray]:
        """Yields all samples in order; call it once.

        Args:
            frames: Maximum frames of a block; by default one second or 65,536, if less.
            start: Samples per channel to leave out at the beginning. Uncompressed ones are not
                read; compressed ones have to be decoded.

        Yields:
            Blocks (samples, channels), float32, full scale = 1.

        Raises:
            InputError: The file is damaged, truncated, holds NaN or infinite samples, or has no
                samples.
        """
        frames = frames or min(self.sample_rate, _BLOCK_FRAMES)
        done = 0
        if start and self._seeks:
            done = self._sound.seek(min(start, self.promised or 0))
        while self.promised is None or done < self.promised:
            left = frames if self.promised is None else min(frames, self.promised - done)
            block = np.empty((left, self.channels), np.float32)
            try:
                block = self._sound.read(out=block)
            except soundfile.SoundFileError as error:
                reason = _reason(error)
                raise InputError(
                    f"audio file is damaged or truncated ({reason})", where=self._where
                ) from error
            if not len(block):
                break
            if not np.isfinite(block).all():
                raise InputError("audio file has NaN or infinite samples", where=self._where)
            wanted = block[max(0, start - done) :]
            done += len(block)
            if len(wanted):
                yield wanted
        if not done and not self.promised:
            raise InputError("audio file has no samples", where=self._where)
        if self.promised is not None and done < self.promised:
            raise InputError(
                "audio file is truncated",
                where=self._where,
                expected=f"{self.promised:,} samples",
                received=f"{done:,}",
            )


@contextmanager
def open_audio(path: str | Location) -> Iterator[Recording]:
    """Opens an audio file of any length for reading block by block.

    Args:
        path: File in a format of `formats.READ`.

    Raises:
        InputError: The file is missing, empty, not audio, or contradicts its header.
    """
    path = as_location(path)
    with _stream(path) as stream:
        try:
            promised = check_file(stream, path)
            stream.seek(0)
        except OSError as error:
            raise _unreadable(error, path) from error
        # With a file descriptor, Python's lock is released while libsndfile reads.
        file = stream if isinstance(stream, io.BytesIO) else stream.fileno()
        try:
            sound = _Sequential(file, closefd=False)
        except soundfile.SoundFileError as error:
            raise InputError(f"audio cannot be decoded ({_reason(error)})", where=path) from error
        with sound:
            yield _recording(sound, promised, path)


def read_audio(path: str | Location) -> tuple[np.ndarray, int]:
    """Decodes an audio file.

    Args:
        path: File in a format of `formats.READ`.

    Returns:
        Samples (float32 of shape (samples, channels), full scale = 1) and the sample rate in Hz.

    Raises:
        InputError: The file is missing, empty, truncated, not audio, holds NaN or infinite samples,
            or has more than `MOST_SAMPLES`.
    """
    blocks: list[np.ndarray] = []
    samples = 0
    with open_audio(path) as recording:
        _check_whole((recording.promised or 0) * recording.channels, path)
        for block in recording.blocks(_WHOLE_SAMPLES // recording.channels):
            blocks.append(block)
            samples += block.size
            _check_whole(samples, path)
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks), recording.sample_rate


def _check_whole(samples: int, where: object) -> None:
    if samples > MOST_SAMPLES:
        raise InputError(
            "audio is too long",
            where=where,
            expected=f"at most {MOST_SAMPLES:,} samples of all channels",
            received=f"{samples:,}",
        )


def mono(samples: np.ndarray) -> np.ndarray:
    """Averages all channels: (samples, channels) to (samples, 1)."""
    return samples if samples.shape[1] == 1 else samples.mean(axis=1, keepdims=True)


def resample(samples: np.ndarray, sample_rate: int, target_rate: int) -> np.ndarray:
    """Resamples along the first axis with a polyphase filter (soxr, high quality).

    Args:
        samples: Samples (samples, channels), float32.
        sample_rate: Sample rate in Hz.
        target_rate: New sample rate in Hz.

    Returns:
        float32 of shape (round(samples * target_rate / sample_rate), channels).
    """
    if sample_rate == target_rate:
        return samples
    resampled = soxr.resample(samples, sample_rate, target_rate)
    return _of_length(resampled, round(len(samples) * target_rate / sample_rate))


def resample_blocks(
    blocks: Iterable[np.ndarray], sample_rate: int, target_rate: int
) -> Iterator[np.ndarray]:
    """Streams the result of `resample` on all blocks together, bit for bit.

    Args:
        blocks: Consecutive blocks (samples, channels), float32.
        sample_rate: Sample rate in Hz.
        target_rate: New sample rate in Hz.
    """
    if sample_rate == target_rate:
        yield from blocks
        return
    stream, taken, given = None, 0, 0
    for block in blocks:
        if stream is None:
            stream = soxr.ResampleStream(sample_rate, target_rate, block.shape[1])
            nothing = block[:0]
        resampled = stream.resample_chunk(block)
        taken, given = taken + len(block), given + len(resampled)
        yield resampled
    if stream is not None:
        last = stream.resample_chunk(nothing, last=True)
        yield _of_length(last, round(taken * target_rate / sample_rate) - given)


def _of_length(samples: np.ndarray, length: int) -> np.ndarray:
    return np.pad(samples[:length], [(0, max(0, length - len(samples))), (0, 0)])


def _stream(path: Location) -> BinaryIO:
    # A device or a pipe may never end; remote storage has neither.
    if not isinstance(path, Url) and path.exists() and not path.is_file():
        raise InputError("not a file", where=path, expected="an audio file")
    try:
        return io.BytesIO(path.read_bytes()) if isinstance(path, Url) else path.open("rb", 0)
    except FileNotFoundError as error:
        raise InputError("audio file is missing", where=path) from error
    except OSError as error:
        raise _unreadable(error, path) from error


def _unreadable(error: OSError, where: Location) -> InputError:
    return InputError(f"audio file cannot be read ({error.strerror})", where=where)


def _recording(sound: _Sequential, promised: int | None, where: Location) -> Recording:
    low, high = SAMPLE_RATES
    if not low <= sound.samplerate <= high or not 1 <= sound.channels <= MOST_CHANNELS:
        raise InputError(
            "audio header is broken",
            where=where,
            expected=f"{low:,} to {high:,} Hz, 1 to {MOST_CHANNELS} channels",
            received=f"{sound.samplerate} Hz, {sound.channels} channels",
        )
    if sound.format not in _FORMATS:
        raise InputError("not an audio file", where=where, received=f"format {sound.format}")
    # The header of a compressed file may promise more than there is, and seeking in such a FLAC may
    # never return.
    seeks = promised is not None and sound.subtype in _UNCOMPRESSED
    if not seeks:
        promised = None if sound.frames == _UNKNOWN_LENGTH else sound.frames
    elif promised != sound.frames:
        raise InputError(
            "audio header contradicts itself",
            where=where,
            expected=f"{promised:,} samples",
            received=f"{sound.frames:,}",
        )
    return Recording(sound.samplerate, sound.channels, promised, sound, where, seeks)


def _reason(error: soundfile.SoundFileError) -> str:
    return getattr(error, "error_string", str(error)).removeprefix("Error : ").rstrip(".")
