"""Decoding of WAV, of FLAC and Ogg Vorbis by tensorflow-io, and resampling."""

import numpy as np
import soxr

from dcase_system.audio.flac import count_samples
from dcase_system.audio.header import AudioHeader, parse_header
from dcase_system.errors import InputError
from dcase_system.places import Place, Url, place


def read_audio(path: str | Place) -> tuple[np.ndarray, int]:
    """Decodes one audio file.

    Args:
        path: 16, 24 or 32-bit WAV, FLAC or Ogg Vorbis.

    Returns:
        Samples (float32 of shape (samples, channels), full scale = 1) and the sample rate in Hz.

    Raises:
        InputError: the file is missing, empty, truncated, not audio, or holds NaN or infinite
            samples.
    """
    path = place(path)
    # A device or a pipe may never end; storage has none.
    if not isinstance(path, Url) and path.exists() and not path.is_file():
        raise InputError("not a file", where=path, expected="an audio file")
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError("audio file is missing", where=path) from error
    except OSError as error:
        raise InputError(f"audio file cannot be read ({error.strerror})", where=path) from error
    header = parse_header(data, path)
    if header.container == "flac":
        _check_flac(data, header, path)
    try:
        samples = _decode(data, header)
    except ValueError as error:
        raise InputError(
            f"{header.container} data is broken or truncated",
            where=path,
            received=f"{len(data)} bytes",
        ) from error
    if samples.shape[0] == 0:
        raise InputError("audio file has no samples", where=path)
    if not np.isfinite(samples).all():
        raise InputError("audio file has NaN or infinite samples", where=path)
    return samples, header.sample_rate


def _check_flac(data: bytes, header: AudioHeader, path: Place) -> None:
    try:
        frames = count_samples(data)
    except IndexError:
        frames = 0
    if frames != header.frames:
        raise InputError(
            "flac data is broken or truncated",
            where=path,
            expected=f"{header.frames} samples",
            received=f"{frames} in whole frames",
        )


def _decode(data: bytes, header: AudioHeader) -> np.ndarray:
    if header.container == "wav":
        return _decode_pcm(data, header)
    return _decode_compressed(data, header)


def _decode_compressed(data: bytes, header: AudioHeader) -> np.ndarray:
    # Seconds to import, for each process that writes a store; most corpora do not need it.
    import tensorflow as tf
    import tensorflow_io as tfio

    try:
        with tf.device("/CPU:0"):
            if header.container == "ogg":
                return tfio.audio.decode_vorbis(data).numpy()
            if header.bits == 16:
                return tfio.audio.decode_flac(data, dtype=tf.int16).numpy() / np.float32(2**15)
            # 24-bit samples arrive in the top bits of an int32.
            return tfio.audio.decode_flac(data, dtype=tf.int32).numpy() * np.float32(2**-31)
    except tf.errors.OpError as error:
        # Its own message names neither the file nor the fault.
        raise ValueError("broken") from error


def _decode_pcm(data: bytes, header: AudioHeader) -> np.ndarray:
    """The samples of a WAV file: an eighth of the time that tensorflow-io takes.

    tensorflow-io also stumbles over extra chunks of odd length and over a wrong length of the RIFF,
    both of which recorders write, and takes 32-bit integers for floats.
    """
    width, channels = header.bits // 8, header.channels
    shape, strides = (header.data_bytes // width // channels, channels), (width * channels, width)
    if width == 3:
        # Four bytes with the sample in the upper three; the lowest is of the sample before.
        words: np.ndarray = np.ndarray(shape, "<i4", data, header.data_start - 1, strides)
        return (words & np.int32(-256)).astype(np.float32) * np.float32(2**-31)
    kind = "<f4" if header.is_float else f"<i{width}"
    stored: np.ndarray = np.ndarray(shape, kind, data, header.data_start, strides)
    samples = stored.astype(np.float32)
    return samples if header.is_float else samples * np.float32(2.0 ** (1 - header.bits))


def resample(samples: np.ndarray, sample_rate: int, target_rate: int) -> np.ndarray:
    """Resamples along the first axis by a polyphase filter (soxr, its high quality).

    Args:
        samples: (samples, channels) float32.
        sample_rate: in Hz.
        target_rate: in Hz.

    Returns:
        float32 of shape (round(samples * target_rate / sample_rate), channels).
    """
    if sample_rate == target_rate:
        return samples
    length = round(len(samples) * target_rate / sample_rate)
    resampled = soxr.resample(samples, sample_rate, target_rate)[:length]
    return np.pad(resampled, [(0, length - len(resampled)), (0, 0)])
