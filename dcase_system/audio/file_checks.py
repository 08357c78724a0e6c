"""Checks that libsndfile omits: whether a file agrees with its header.

libsndfile silently reads the remainder of a truncated file, and silently picks one of two
contradicting values in a header.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from dcase_system.core.errors import InputError
from dcase_system.corpora.formats import HEAD_BYTES, READ, format_of

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_FLAC_BITS = (8, 16, 24)
_MOST_CHUNKS = 1_000  # before the samples
_MOST_BEHIND = 1 << 26  # bytes of other chunks after the samples
_LONGEST_PAGE = 65_307  # of Ogg
_PAGE, _PAGE_HEAD = re.compile(rb"OggS\0[\0-\7]"), 27
# Sizes that programs write to a pipe, where they cannot know them: around 2^31, 2^32 and 2^63.
_UNKNOWN = (range(0x7FFF_0000, 0x8001_0000), range(0xFFFF_0000, 1 << 32), range(1 << 62, 1 << 64))


@dataclass(frozen=True)
class _Layout:
    """Layout of the chunks in a file format.

    Attributes:
        head: Header of each chunk: its name and size.
        first: Position of the first chunk.
        alignment: Alignment of chunks in bytes.
        counts_head: Whether a size includes the header.
    """

    head: struct.Struct
    first: int = 12
    alignment: int = 2
    counts_head: bool = False

    def chunks(self, stream: BinaryIO, file_bytes: int) -> Iterator[tuple[bytes, int, int]]:
        """Yields the name of each chunk, and the position and size of its content."""
        position = self.first
        for _ in range(_MOST_CHUNKS):
            if position + self.head.size > file_bytes:
                return
            stream.seek(position)
            name, size = self.head.unpack(stream.read(self.head.size))
            size -= self.head.size if self.counts_head else 0
            if size < 0:
                return
            body = position + self.head.size
            yield name[:4], body, size
            position = body + size + -size % self.alignment


_LAYOUTS = {
    b"RIFF": _Layout(struct.Struct("<4sI")),
    b"RIFX": _Layout(struct.Struct(">4sI")),
    b"RF64": _Layout(struct.Struct("<4sI")),
    b"FORM": _Layout(struct.Struct(">4sI")),
    b"caff": _Layout(struct.Struct(">4sQ"), first=8, alignment=1),
    b"riff": _Layout(struct.Struct("<16sQ"), first=40, alignment=8, counts_head=True),
}


def check_file(stream: BinaryIO, where: object) -> int | None:
    """Refuses a file that is not audio, is truncated, or has a contradictory header.

    Args:
        stream: The file; left at an arbitrary position.
        where: Name of the file, for the error.

    Returns:
        Samples per channel according to the header, if they are stored uncompressed; None if only
        a decoder can tell.

    Raises:
        InputError: The file is refused.
    """
    file_bytes = stream.seek(0, 2)
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    expected = f"{', '.join(READ[:-1])} or {READ[-1]}"
    if not head:
        raise InputError("audio file is empty", where=where, expected=expected)
    name = format_of(head)
    if name is None:
        received = f"bytes {head[:4]!r}"
        raise InputError("not an audio file", where=where, expected=expected, received=received)
    if name not in READ:
        raise InputError(
            "file of a format that is not read",
            where=where,
            expected=f"{expected} (ffmpeg -i IN OUT.wav converts audio)",
            received=name,
        )
    try:
        if head[:4] in _LAYOUTS:
            return _check_chunks(name, _LAYOUTS[head[:4]], stream, file_bytes, where)
        if name == "Ogg":
            _check_last_page(stream, file_bytes, where)
        if name == "AU":
            byte_order = ">" if head[:4] == b".snd" else "<"
            start, size = struct.unpack_from(f"{byte_order}II", head, 4)
            _known_bytes(name, start, size, file_bytes, where)
        if name == "FLAC":
            _check_flac_bits(head, where)
    except struct.error as error:
        received = f"{file_bytes:,} bytes"
        raise InputError("audio header is truncated", where=where, received=received) from error
    return None


def _check_chunks(
    name: str, layout: _Layout, stream: BinaryIO, file_bytes: int, where: object
) -> int | None:
    frame_bytes = frames = long_size = None
    for chunk, body, size in layout.chunks(stream, file_bytes):
        if chunk not in (b"fmt ", b"ds64", b"COMM", b"data", b"SSND"):
            continue
        stream.seek(body)
        content = stream.read(40)
        if chunk == b"fmt " and frame_bytes is None:
            frame_bytes = _frame_bytes(content, layout.head.format[:1], where)
        elif chunk == b"ds64":
            (long_size,) = struct.unpack_from("<Q", content, 8)
        elif chunk == b"COMM":
            (frames,) = struct.unpack_from(">I", content, 2)
        elif chunk in (b"data", b"SSND"):
            if name == "RF64" and long_size is not None:
                size = long_size
            known = _known_bytes(name, body, size, file_bytes, where)
            return known // frame_bytes if frame_bytes else frames
    received = f"{file_bytes:,} bytes"
    raise InputError(
        f"{name} is truncated before its samples, or its chunks are broken",
        where=where,
        received=received,
    )


def _frame_bytes(fmt: bytes, byte_order: str, where: object) -> int | None:
    """Bytes of one sample of all channels; None if samples are compressed.

    libsndfile uses the bit depth if the block align differs.
    """
    tag, channels, _, _, block_align, bits = struct.unpack_from(f"{byte_order}HHIIHH", fmt)
    if tag == _EXTENSIBLE:  # the true tag begins the sub-format
        (tag,) = struct.unpack_from(f"{byte_order}I", fmt, 24)
    if tag not in (_PCM, _FLOAT, _ALAW, _MULAW):
        return None
    frame_bytes = channels * -(-bits // 8)
    if block_align not in (0, frame_bytes):
        recorded = bits == 24 and block_align == 4 * channels
        hint = " (arecord: -f S32_LE or S24_3LE, not S24_LE)" if recorded else ""
        raise InputError(
            "WAV header contradicts itself",
            where=where,
            expected=f"block align {frame_bytes} of {channels} x {bits} bits{hint}",
            received=f"block align {block_align}",
        )
    return frame_bytes or None


def _check_flac_bits(head: bytes, where: object) -> None:
    """Refuses the bit depths of FLAC that libsndfile does not decode."""
    (packed,) = struct.unpack_from(">Q", head, 18)  # of the first block, which a FLAC begins with
    bits = (packed >> 36 & 31) + 1
    if bits not in _FLAC_BITS:
        raise InputError(
            "FLAC of a bit depth that cannot be decoded",
            where=where,
            expected=f"{_FLAC_BITS[0]}, {_FLAC_BITS[1]} or {_FLAC_BITS[2]} bits",
            received=f"{bits}",
        )


def _known_bytes(name: str, start: int, size: int, file_bytes: int, where: object) -> int:
    """Bytes of samples in the file; all up to its end if the header's size stands for unknown."""
    there = max(0, file_bytes - start)
    if size == 0 and there:
        raise InputError(
            f"{name} has no samples, or its header was never finished",
            where=where,
            expected="the size of its samples (ffmpeg -i IN OUT rewrites it)",
            received=f"0, with {there:,} bytes after it",
        )
    if size > there and any(size in sizes for sizes in _UNKNOWN):
        return there
    if size > there:
        raise InputError(
            f"{name} data is truncated",
            where=where,
            expected=f"{size} bytes of samples",
            received=there,
        )
    if there - size > _MOST_BEHIND:
        raise InputError(
            f"{name} file is longer than its header says",
            where=where,
            expected=f"{size:,} bytes of samples",
            received=f"{there:,}",
        )
    return size


def _check_last_page(stream: BinaryIO, file_bytes: int, where: object) -> None:
    start = max(0, file_bytes - _LONGEST_PAGE)
    stream.seek(start)
    tail = stream.read(_LONGEST_PAGE)
    pages = [found.start() for found in _PAGE.finditer(tail)]
    page = tail[pages[-1] :] if pages else b""
    segments = page[_PAGE_HEAD : _PAGE_HEAD + page[_PAGE_HEAD - 1]] if len(page) > 26 else b""
    if len(page) < _PAGE_HEAD or len(page) < _PAGE_HEAD + page[_PAGE_HEAD - 1] + sum(segments):
        raise InputError("Ogg data is truncated", where=where, expected="a whole page at its end")
