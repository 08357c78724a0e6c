"""Audio files of every supported kind, for the tests."""

import io
import struct

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
    data = samples.astype("<f4").tobytes() if is_float else pcm_bytes(samples, bits)
    return riff(chunk(b"fmt ", fmt) + chunk(b"LIST", b"odd") + chunk(b"data", data))


def pcm_bytes(samples: np.ndarray, bits: int, word_bytes: int | None = None) -> bytes:
    """Little-endian integers, in the lower bytes of words; those of 8 bits without a sign."""
    whole = np.rint(samples * 2.0 ** (bits - 1)).astype("<i8") + (128 if bits == 8 else 0)
    words = whole.reshape(-1, 1).view(np.uint8)
    return words[:, : word_bytes or bits // 8].tobytes()


def fmt_chunk(channels: int, rate: int, bits: int, block_align: int, tag: int = 1) -> bytes:
    """Builds a `fmt ` chunk with these fields."""
    numbers = tag, channels, rate, rate * block_align, block_align, bits
    return chunk(b"fmt ", struct.pack("<HHIIHH", *numbers))


def riff(chunks: bytes, size: int | None = None) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(chunks) if size is None else size) + b"WAVE" + chunks


def chunk(name: bytes, data: bytes, size: int | None = None) -> bytes:
    return (
        name + struct.pack("<I", len(data) if size is None else size) + data + bytes(len(data) % 2)
    )


def encoded(
    samples: np.ndarray,
    sample_rate: int,
    container: str,
    subtype: str | None = None,
    endian: str | None = None,
) -> bytes:
    """A file as libsndfile writes it; container, encoding and order by their names in soundfile."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, sample_rate, subtype, endian, format=container)
    return stream.getvalue()


def rifx_bytes(samples: np.ndarray, sample_rate: int, kind: str, extensible: bool = False) -> bytes:
    """A WAV file in big-endian order, of the type of samples that numpy calls `kind`."""
    dtype, channels = np.dtype(kind).newbyteorder(">"), samples.shape[1]
    is_float = dtype.kind == "f"
    scaled = samples if is_float else np.rint(samples * 2.0 ** (8 * dtype.itemsize - 1))
    frame, bits = channels * dtype.itemsize, 8 * dtype.itemsize
    tag = 3 if is_float else 1
    numbers = 0xFFFE if extensible else tag, channels, sample_rate, sample_rate * frame, frame, bits
    fmt = struct.pack(">HHIIHH", *numbers)
    if extensible:
        guid_tail = struct.pack(">HH", 0, 16) + bytes.fromhex("800000aa00389b71")
        fmt += struct.pack(">HHII", 22, bits, 0, tag) + guid_tail
    data = scaled.astype(dtype).tobytes()
    chunks = b"".join(
        name + struct.pack(">I", len(body)) + body + bytes(len(body) % 2)
        for name, body in ((b"fmt ", fmt), (b"data", data))
    )
    return b"RIFX" + struct.pack(">I", 4 + len(chunks)) + b"WAVE" + chunks


def with_streaminfo(flac: bytes, *, bits: int | None = None, samples: int | None = None) -> bytes:
    """Returns a FLAC file with another first block, which contradicts its frames."""
    packed = int.from_bytes(flac[18:26], "big")
    if bits is not None:
        packed = packed & ~(31 << 36) | (bits - 1) << 36
    if samples is not None:
        packed = packed & ~((1 << 36) - 1) | samples
    return flac[:18] + packed.to_bytes(8, "big") + bytes(16) + flac[42:]
