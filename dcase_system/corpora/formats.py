"""Supported audio formats, recognised by the first bytes of a file."""

SUFFIXES = frozenset(
    {".wav", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3"}
    | {".aif", ".aiff", ".aifc", ".caf", ".au"}
)
"""Suffixes of audio files, in lower case."""

READ = ("WAV", "FLAC", "Ogg", "MP3", "AIFF", "AU", "CAF", "RF64", "Wave64")
HEAD_BYTES = 4_608
"""Bytes needed to recognise a format: three frames of MP3 at any bit rate."""

_NAMES = {
    b"RIFF": "WAV",
    b"RIFX": "WAV",
    b"RF64": "RF64",
    b"riff": "Wave64",
    b"FORM": "AIFF",
    b"caff": "CAF",
    b".snd": "AU",
    b"dns.": "AU",  # little-endian
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"ID3\2": "MP3",
    b"ID3\3": "MP3",
    b"ID3\4": "MP3",
    b"\x1aE\xdf\xa3": "Matroska",
    b"BW64": "BW64",
}
_OF_WAVES = (b"RIFF", b"RIFX", b"RF64", b"BW64")  # containers of WAVE and of others: AVI, WebP
_SYNC, _LAYER_3, _RESERVED_VERSION = 0x7FF, 1, 1
_MPEG_1 = 3
_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_KBPS_OF_LOWER_RATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_HERTZ = {
    _MPEG_1: (44_100, 48_000, 32_000, 0),
    2: (22_050, 24_000, 16_000, 0),
    0: (11_025, 12_000, 8_000, 0),
}
_SAME_IN_ALL_FRAMES = 0xFFFE0C00  # sync, version, layer and sample rate


def format_of(head: bytes) -> str | None:
    """Recognises the format of a file; None if it is uncertain.

    Raw samples may look like one frame of MP3, but hardly like three.

    Args:
        head: First `HEAD_BYTES` of the file, or all of it if it is shorter.
    """
    kind = head[8:12]
    if head[:4] in _OF_WAVES and len(kind) == 4 and kind != b"WAVE":
        return f"{head[:4].decode()} of type {kind.decode('latin-1').strip()}"
    if head[:4] in _NAMES:
        return _NAMES[head[:4]]
    if head[:2] == b"\0\0" and head[4:8] == b"ftyp":  # after the size of this box
        return "MP4"
    return "MP3" if _is_mp3(head) else None


def _is_mp3(head: bytes) -> bool:
    """Whether it begins with three frames of MP3, or consists of exactly two."""
    position = frames = first = 0
    while frames < 3 and position < len(head):
        header = int.from_bytes(head[position : position + 4], "big")
        size = _frame_bytes(header)
        if not size or (frames and (header ^ first) & _SAME_IN_ALL_FRAMES):
            return False
        first, position, frames = first or header, position + size, frames + 1
    return frames >= 2


def _frame_bytes(header: int) -> int:
    """Length of the MP3 frame with this header; 0 if the header is invalid."""
    version, layer = header >> 19 & 3, header >> 17 & 3
    if header >> 21 != _SYNC or layer != _LAYER_3 or version == _RESERVED_VERSION:
        return 0
    kbps = (_KBPS if version == _MPEG_1 else _KBPS_OF_LOWER_RATES)[header >> 12 & 15]
    hertz = _HERTZ[version][header >> 10 & 3]
    if not kbps or not hertz:
        return 0
    return (144_000 if version == _MPEG_1 else 72_000) * kbps // hertz + (header >> 9 & 1)
