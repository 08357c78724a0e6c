"""Recognising formats by their first bytes: each one that is read, and no raw samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.corpora.formats import HEAD_BYTES, READ, format_of
from tests.audio.audio_files import encoded

RATE = 32_000
NOISE = np.random.default_rng(0).normal(0, 0.1, (RATE, 1))
NAMES = {
    "WAV": "WAV",
    "WAVEX": "WAV",
    "RF64": "RF64",
    "W64": "Wave64",
    "AIFF": "AIFF",
    "AU": "AU",
    "CAF": "CAF",
    "FLAC": "FLAC",
    "OGG": "Ogg",
    "MP3": "MP3",
}


@pytest.mark.parametrize("container", NAMES)
def test_every_format_is_told_by_its_beginning(container):
    assert format_of(encoded(NOISE, RATE, container)[:HEAD_BYTES]) == NAMES[container]
    assert set(NAMES.values()) == set(READ)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_is_told_by_its_frames_whatever_their_rate(rate, channels):
    samples = np.random.default_rng(1).normal(0, 0.1, (rate, channels))
    assert format_of(encoded(samples, rate, "MP3")[:HEAD_BYTES]) == "MP3"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"ID3\4\0\0", "MP3"),
        (b"RIFX....WAVE", "WAV"),
        (b"dns.", "AU"),
        (b"BW64....WAVE", "BW64"),
        (b"RIFF....WAVE", "WAV"),
        (b"RIFF....AVI ", "RIFF of type AVI"),
        (b"RF64....WEBP", "RF64 of type WEBP"),
        (b"BW64....JUNK", "BW64 of type JUNK"),
        (b"\0\0\0\x20ftypM4A ", "MP4"),
        (b"\x1aE\xdf\xa3\x9f", "Matroska"),
    ],
)
def test_others_are_told_too(head, name):
    assert format_of(head) == name


FRAME = bytes.fromhex("fffb9064")  # 128 kbit/s, 44.1 kHz: 417 bytes


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"RIF",
        bytes(HEAD_BYTES),
        b"\xff\xfb" * 2_000,
        FRAME * 1_000,
        FRAME + np.random.default_rng(2).bytes(4_000),
        (FRAME + bytes(413)) * 2 + b"\xfb\xff" * 2_000,
        FRAME + bytes(413) + FRAME[:2] + b"\x94\x64" + bytes(4_000),  # another sample rate
        FRAME + bytes(100),
    ],
)
def test_raw_samples_are_no_format(head):
    assert format_of(head) is None


@given(st.binary(max_size=HEAD_BYTES))
def test_any_bytes_with_an_mp3s_first_frame_are_no_format(data):
    assert format_of(FRAME + data) is None


def test_two_frames_that_are_all_there_is_are_an_mp3():
    assert format_of((FRAME + bytes(413)) * 2) == "MP3"
