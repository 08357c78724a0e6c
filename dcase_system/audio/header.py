"""Reading the header of a WAV, FLAC or Ogg Vorbis file: what the decoder must be told."""

import struct
from dataclasses import dataclass, replace

from dcase_system.errors import InputError

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
    """

    container: str
    sample_rate: int
    channels: int
    bits: int
    is_float: bool
    data_start: int = 0
    data_bytes: int = 0


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
            header = _parse_flac(data)
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
    if header.sample_rate == 0 or header.channels == 0:
        raise InputError(
            "audio header is broken",
            where=where,
            received=f"{header.sample_rate} Hz, {header.channels} channels",
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
            return replace(header, data_start=body, data_bytes=size)
        position = body + size + size % 2  # chunks are padded to even length
    raise InputError("WAV has no data chunk", where=where, received=f"{len(data)} bytes")


def _parse_flac(data: bytes) -> AudioHeader:
    # STREAMINFO is first; after 10 bytes of it: rate (20 bits), channels - 1 (3), bits - 1 (5).
    packed = struct.unpack_from(">I", data, 8 + 10)[0]
    return AudioHeader("flac", packed >> 12, (packed >> 9 & 7) + 1, (packed >> 4 & 31) + 1, False)


def _parse_ogg(data: bytes, where: object) -> AudioHeader:
    segments = struct.unpack_from("<B", data, 26)[0]
    packet = 27 + segments
    if data[packet : packet + 7] != b"\x01vorbis":
        raise InputError(
            "Ogg stream is not Vorbis", where=where, received=f"{data[packet : packet + 7]!r}"
        )
    channels, rate = struct.unpack_from("<BI", data, packet + 11)
    return AudioHeader("ogg", rate, channels, 32, True)
