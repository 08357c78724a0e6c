"""Reading the header of a WAV, FLAC or Ogg Vorbis file: what the decoder must be told."""

import struct
from dataclasses import dataclass, replace

from dcase_system.errors import InputError

SAMPLE_RATES = (100, 768_000)
"""In Hz; a resampling filter grows with the rate."""

MOST_CHANNELS = 64
MOST_SAMPLES = 1 << 28
"""Of all channels, 1 GiB as float32; a few bytes of FLAC or Ogg may claim any number."""

_STREAMINFO_BYTES = 34
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


@dataclass(frozen=True)
class AudioHeader:
    """Format of an audio file.

    Attributes:
        container: `wav`, `flac` or `ogg`.
        sample_rate: in Hz.
        channels: number of channels.
        bits: bits of a stored sample (32 for Ogg Vorbis, which decodes to float).
        is_float: whether stored samples are floating point.
        data_start: where the samples of a WAV begin in the file.
        data_bytes: how many bytes they take.
        frames: samples of each channel, 0 where the header does not say.
    """

    container: str
    sample_rate: int
    channels: int
    bits: int
    is_float: bool
    data_start: int = 0
    data_bytes: int = 0
    frames: int = 0


def parse_header(data: bytes, where: object) -> AudioHeader:
    """Parses the header of a whole audio file held in memory.

    Args:
        data: content of the file.
        where: name of the file, for the error.

    Raises:
        InputError: the file is empty or truncated, or is none of the three formats.
    """
    if not data:
        raise InputError("audio file is empty", where=where, expected="WAV, FLAC or Ogg data")
    try:
        if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
            header = _parse_wav(data, where)
        elif data[:4] == b"fLaC":
            header = _parse_flac(data, where)
        elif data[:4] == b"OggS":
            header = _parse_ogg(data, where)
        else:
            raise InputError(
                "not an audio file",
                where=where,
                expected="WAV, FLAC or Ogg Vorbis",
                received=f"bytes {data[:4]!r}",
            )
    except struct.error as error:
        raise InputError(
            "audio header is truncated", where=where, received=f"{len(data)} bytes"
        ) from error
    low, high = SAMPLE_RATES
    if not low <= header.sample_rate <= high or not 1 <= header.channels <= MOST_CHANNELS:
        raise InputError(
            "audio header is broken",
            where=where,
            expected=f"{low:,} to {high:,} Hz, 1 to {MOST_CHANNELS} channels",
            received=f"{header.sample_rate} Hz, {header.channels} channels",
        )
    if header.channels * header.frames > MOST_SAMPLES:
        raise InputError(
            "audio is too long",
            where=where,
            expected=f"at most {MOST_SAMPLES:,} samples of all channels",
            received=f"{header.channels * header.frames:,}",
        )
    return header


def _parse_wav(data: bytes, where: object) -> AudioHeader:
    position, header = 12, None
    while position + 8 <= len(data):
        name, size = data[position : position + 4], struct.unpack_from("<I", data, position + 4)[0]
        body = position + 8
        if name == b"fmt ":
            tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, body)
            if tag == _EXTENSIBLE:  # the true format is the start of the sub-format GUID
                tag = struct.unpack_from("<H", data, body + 24)[0]
            if tag not in (_PCM, _FLOAT) or bits not in ((16, 24, 32) if tag == _PCM else (32,)):
                raise InputError(
                    "WAV encoding is not supported",
                    where=where,
                    expected="16, 24 or 32-bit PCM, or 32-bit float",
                    received=f"format tag {tag}, {bits} bits",
                )
            header = AudioHeader("wav", rate, channels, bits, tag == _FLOAT)
        elif name == b"data":
            if header is None:
                raise InputError("WAV has no fmt chunk before its data", where=where)
            if body + size > len(data):
                raise InputError(
                    "WAV data is truncated",
                    where=where,
                    expected=f"{size} bytes of samples",
                    received=f"{len(data) - body}",
                )
            frame = header.channels * header.bits // 8
            frames = size // max(frame, 1)
            return replace(header, data_start=body, data_bytes=frames * frame, frames=frames)
        position = body + size + size % 2  # chunks are padded to even length
    raise InputError("WAV has no data chunk", where=where, received=f"{len(data)} bytes")


def _parse_flac(data: bytes, where: object) -> AudioHeader:
    # STREAMINFO is first; after 10 bytes of it: rate (20 bits), channels - 1 (3), bits - 1 (5),
    # frames (36).
    packed = struct.unpack_from(">Q", data, 8 + 10)[0]
    bits = (packed >> 36 & 31) + 1
    block = struct.unpack_from(">I", data, 4)[0] & 0x7FFFFFFF  # its first bit: whether it is alone
    if block != _STREAMINFO_BYTES or bits not in (16, 24):
        raise InputError(
            "FLAC encoding is not supported",
            where=where,
            expected="16 or 24 bits, after a STREAMINFO",
            received=f"{bits} bits, a block of type {block >> 24}",
        )
    frames = packed & (1 << 36) - 1
    return AudioHeader("flac", packed >> 44, (packed >> 41 & 7) + 1, bits, False, frames=frames)


def _parse_ogg(data: bytes, where: object) -> AudioHeader:
    segments = struct.unpack_from("<B", data, 26)[0]
    packet = 27 + segments
    if data[packet : packet + 7] != b"\x01vorbis":
        raise InputError(
            "Ogg stream is not Vorbis", where=where, received=f"{data[packet : packet + 7]!r}"
        )
    channels, rate = struct.unpack_from("<BI", data, packet + 11)
    return AudioHeader("ogg", rate, channels, 32, True, frames=_last_granule(data))


def _last_granule(data: bytes) -> int:
    """Frames of an Ogg Vorbis stream, as its pages claim; a page that ends no packet says -1."""
    most, page = 0, 0
    while (page := data.find(b"OggS", page)) >= 0 and page + 14 <= len(data):
        most = max(most, struct.unpack_from("<q", data, page + 6)[0])
        page += 4
    return most
