"""Raw samples of a stream, and streams that are none."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.core.errors import InputError
from dcase_system.edge.pcm import PCMFormat, pcm_blocks
from tests.audio.audio_files import encoded

RATE = 8_000
S16 = PCMFormat("S16_LE", RATE)
NOISE = np.random.default_rng(0).normal(0, 0.1, (RATE, 1))


class Microphone(io.BytesIO):
    """Gives no more at a time than is said, as a pipe does."""

    def __init__(self, content: bytes, at_a_time: int):
        super().__init__(content)
        self.at_a_time, self.given = at_a_time, 0

    def read1(self, size: int | None = -1) -> bytes:
        found = super().read1(min(self.at_a_time, size or 0))
        self.given += len(found)
        return found


def whole(stream: io.BufferedIOBase, form: PCMFormat) -> np.ndarray:
    return np.concatenate(list(pcm_blocks(stream, form)))


@given(
    name=st.sampled_from(["S16_LE", "S32_LE", "FLOAT_LE"]),
    channels=st.integers(1, 3),
    frames=st.integers(0, 5_000),
    at_a_time=st.integers(50, 7_000),
    left=st.integers(0, 1),
)
def test_blocks_are_the_stream_whatever_its_pieces(name, channels, frames, at_a_time, left):
    kind, scale = {"S16_LE": ("<i2", 2**15), "S32_LE": ("<i4", 2**31), "FLOAT_LE": ("<f4", 1)}[name]
    samples = np.random.default_rng(frames).uniform(-0.9, 0.9, (frames, channels))
    stored = (samples * scale).astype(kind)
    stream = Microphone(stored.tobytes() + bytes(left), at_a_time)  # half a sample at the end
    blocks = list(pcm_blocks(stream, PCMFormat(name, RATE, channels)))
    found = np.concatenate([np.empty((0, channels), np.float32), *blocks])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, (stored / scale).astype(np.float32))


def test_a_block_is_given_before_more_is_read():
    stream = Microphone(np.zeros(RATE, "<i2").tobytes(), 100)
    blocks = pcm_blocks(stream, S16)
    next(blocks)
    assert stream.given == 0
    assert len(next(blocks)) == 50 and stream.given == 100


@pytest.mark.parametrize(
    ("container", "name"),
    [
        *(("FLAC", "FLAC"), ("OGG", "Ogg"), ("RF64", "RF64"), ("AIFF", "AIFF"), ("WAV", "WAV")),
        *(("MP3", "MP3"), ("CAF", "CAF"), ("AU", "AU"), ("W64", "Wave64")),
    ],
)
def test_an_audio_file_is_no_stream_of_samples(container, name):
    with pytest.raises(InputError, match=f"standard input: stream begins like {name}, .* -t raw"):
        whole(io.BytesIO(encoded(NOISE, RATE, container)), S16)


def test_an_mp3_behind_a_tag_is_none_either():
    with pytest.raises(InputError, match="begins like MP3"):
        whole(io.BytesIO(b"ID3\4" + bytes(5_000)), S16)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_in_a_stream_is_refused(value):
    with pytest.raises(InputError, match="NaN or infinite samples; expected FLOAT_LE"):
        whole(io.BytesIO(np.full(RATE, value, "<f4").tobytes()), PCMFormat("FLOAT_LE", RATE))
