"""Decoding of WAV, FLAC and Ogg Vorbis by tensorflow-io, and resampling."""

import math
import struct
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_io as tfio
from scipy import signal

from dcase_system.audio.flac import count_samples
from dcase_system.audio.header import AudioHeader, parse_header
from dcase_system.errors import InputError


def read_audio(path: str | Path) -> tuple[np.ndarray, int]:
    """Decodes one audio file.

    Args:
        path: 16, 24 or 32-bit WAV, FLAC or Ogg Vorbis.

    Returns:
        Samples (float32 of shape (samples, channels), full scale = 1) and the sample rate in Hz.

    Raises:
        InputError: the file is missing, empty, truncated, not audio, or holds NaN or infinite
            samples.
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # a device or a pipe may never end
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
    except (tf.errors.OpError, ValueError) as error:
        # tensorflow-io's own message names neither the file nor the fault.
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


def _check_flac(data: bytes, header: AudioHeader, path: Path) -> None:
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
    with tf.device("/CPU:0"):
        if header.container == "ogg":
            return tfio.audio.decode_vorbis(data).numpy()
        decode = tfio.audio.decode_flac
        if header.container == "wav":
            decode, data = tfio.audio.decode_wav, _plain_wav(data, header)
        if header.bits == 16:
            return decode(data, dtype=tf.int16).numpy().astype(np.float32) / 2**15
        if header.bits == 24:  # 24-bit samples arrive in the top bits of an int32
            return (decode(data, dtype=tf.int32).numpy() / 2**31).astype(np.float32)
        samples = decode(data, dtype=tf.float32).numpy()
        # tensorflow-io takes every 32-bit WAV for float; PCM comes out as its bits.
        return samples if header.is_float else (samples.view(np.int32) / 2**31).astype(np.float32)


def _plain_wav(data: bytes, header: AudioHeader) -> bytes:
    """The same samples behind the plainest header.

    tensorflow-io stumbles over extra chunks of odd length and over a wrong length of the RIFF, both
    of which recorders write.
    """
    samples = data[header.data_start : header.data_start + header.data_bytes]
    frame = header.channels * header.bits // 8
    rate, tag = header.sample_rate, 3 if header.is_float else 1
    fmt = struct.pack("<HHIIHH", tag, header.channels, rate, rate * frame, frame, header.bits)
    chunks = (
        b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(samples))
    )
    return b"RIFF" + struct.pack("<I", len(chunks) + len(samples)) + chunks + samples


def resample(samples: np.ndarray, sample_rate: int, target_rate: int) -> np.ndarray:
    """Resamples along the first axis by a polyphase filter.

    Args:
        samples: (samples, channels).
        sample_rate: in Hz.
        target_rate: in Hz.

    Returns:
        float32 of shape (round(samples * target_rate / sample_rate), channels).
    """
    if sample_rate == target_rate:
        return samples
    divisor = math.gcd(sample_rate, target_rate)
    resampled = signal.resample_poly(
        samples, target_rate // divisor, sample_rate // divisor, axis=0
    )
    return resampled[: round(len(samples) * target_rate / sample_rate)].astype(np.float32)
