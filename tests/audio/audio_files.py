"""Audio files of every supported kind, for the tests."""

import struct
from pathlib import Path

import numpy as np
import soundfile


def wav_bytes(
    samples: np.ndarray,
    sample_rate: int,
    bits: int,
    *,
    is_float: bool = False,
    extensible: bool = False,
) -> bytes:
    """A WAV file, written byte by byte: (frames, channels) in [-1, 1)."""
    if is_float:
        data = samples.astype("<f4").tobytes()
    else:
        whole = np.rint(samples * 2.0 ** (bits - 1)).astype("<i8")
        data = whole.view(np.uint8).reshape(*samples.shape, 8)[..., : bits // 8].tobytes()
    channels = samples.shape[1]
    frame = channels * bits // 8
    tag = 3 if is_float else 1
    fmt = struct.pack(
        "<HHIIHH",
        0xFFFE if extensible else tag,
        channels,
        sample_rate,
        sample_rate * frame,
        frame,
        bits,
    )
    if extensible:
        guid_tail = bytes.fromhex("000000001000800000aa00389b71")
        fmt += struct.pack("<HHI", 22, bits, 0) + struct.pack("<H", tag) + guid_tail
    body = b"WAVE" + _chunk(b"fmt ", fmt) + _chunk(b"LIST", b"odd") + _chunk(b"data", data)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def write_with_soundfile(path: Path, samples: np.ndarray, sample_rate: int, subtype: str) -> None:
    soundfile.write(path, samples, sample_rate, subtype=subtype)
