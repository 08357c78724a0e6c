import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.audio import decode
from dcase_system.audio.decode import open_audio, read_audio, resample, resample_blocks
from dcase_system.core.errors import InputError
from tests.audio.audio_files import encoded, wav_bytes, with_streaminfo
from tests.commands import ROOT

RATE = 44_100


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.9, 0.9, (2_000, 1))


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize(("bits", "is_float"), [(16, False), (24, False), (32, False), (32, True)])
def test_wav_of_every_width_decodes_to_its_samples(tmp_path, noise, bits, is_float, extensible):
    path = tmp_path / "clip.wav"
    path.write_bytes(wav_bytes(noise, RATE, bits, is_float=is_float, extensible=extensible))
    samples, rate = read_audio(path)
    assert rate == RATE
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, noise, atol=0.5 / 2 ** (min(bits, 24) - 1) + 1e-7)


@pytest.mark.parametrize(
    ("container", "subtype", "reads"),
    [("WAV", "PCM_16", 1), ("W64", "DOUBLE", 1), ("FLAC", "PCM_16", 4), ("OGG", "VORBIS", 4)],
)
def test_samples_behind_a_start_are_those_of_the_whole_file(
    tmp_path, noise, monkeypatch, container, subtype, reads
):
    path, counted = tmp_path / "clip", []
    path.write_bytes(encoded(noise, RATE, container, subtype))
    whole, _ = read_audio(path)
    read = decode._Sequential.read
    monkeypatch.setattr(
        decode._Sequential, "read", lambda *args, **kw: counted.append(1) or read(*args, **kw)
    )
    for start in (1_700, 1_999, 5_000):
        counted.clear()
        with open_audio(path) as recording:
            found = [whole[:0], *recording.blocks(500, start)]
        np.testing.assert_array_equal(np.concatenate(found), whole[start:])
        if start < len(whole):
            assert len(counted) == reads  # uncompressed blocks before the start are not read


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_kept_apart(tmp_path, channels):
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (500, channels))
    path = tmp_path / "clip.wav"
    path.write_bytes(wav_bytes(samples, RATE, 16))
    np.testing.assert_allclose(read_audio(path)[0], samples, atol=2e-5)


@pytest.mark.parametrize(
    ("container", "subtype", "tolerance"),
    [
        ("FLAC", "PCM_S8", 2.0**-7),
        ("FLAC", "PCM_16", 2e-5),
        ("FLAC", "PCM_24", 2e-7),
        ("AIFF", "PCM_16", 4e-5),
        ("AIFF", "FLOAT", 1e-7),
        ("RF64", "PCM_24", 2e-7),
        ("W64", "DOUBLE", 1e-7),
        ("CAF", "ALAC_24", 2e-7),
        ("AU", "PCM_16", 4e-5),
    ],
)
def test_lossless_files_decode_to_their_samples(tmp_path, noise, container, subtype, tolerance):
    path = tmp_path / "clip"
    path.write_bytes(encoded(noise, RATE, container, subtype))
    samples, rate = read_audio(path)
    assert rate == RATE
    np.testing.assert_allclose(samples, noise, atol=tolerance)


@pytest.mark.parametrize(
    ("container", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")]
)
@pytest.mark.parametrize("seconds", [0.2, 1, 7.77])
def test_lossy_files_decode_close_to_their_samples(tmp_path, container, subtype, seconds):
    rate = 48_000
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)[:, None]
    path = tmp_path / "clip"
    path.write_bytes(encoded(tone, rate, container, subtype))
    samples, read_rate = read_audio(path)
    assert read_rate == rate
    assert len(samples) == len(tone)
    assert np.abs(samples - tone).mean() < 0.01


def test_missing_and_empty_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.wav: audio file is missing"):
        read_audio(tmp_path / "gone.wav")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(InputError, match=r"empty\.wav: audio file is empty"):
        read_audio(tmp_path / "empty.wav")


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path / "pipe.wav", tmp_path):
        with pytest.raises(InputError, match="not a file; expected an audio file"):
            read_audio(path)


def test_what_the_system_does_not_give_is_one_line():
    with pytest.raises(InputError, match=r"/proc/self/mem: audio file cannot be read \("):
        read_audio("/proc/self/mem")


@pytest.mark.parametrize("name", ["a b.wav", "ü.wav", os.fsdecode(b"\xff\xfe.wav")])
def test_any_name_is_read(tmp_path, noise, name):
    (tmp_path / name).write_bytes(wav_bytes(noise, RATE, 16))
    assert len(read_audio(tmp_path / name)[0]) == len(noise)


@pytest.mark.parametrize(
    "content", [b"filename\tscene_label\n", b"\0\x05\x16\x07" + bytes(200), b"\xff\xfb" * 3_000]
)
def test_files_of_other_kinds_are_refused(tmp_path, content):
    path = tmp_path / "text.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not an audio file; expected WAV, FLAC, Ogg, MP3, "):
        read_audio(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, noise, value):
    bad = noise.copy()
    bad[7] = value
    path = tmp_path / "nan.wav"
    path.write_bytes(wav_bytes(bad, RATE, 32, is_float=True))
    with pytest.raises(InputError, match="NaN or infinite"):
        read_audio(path)


@pytest.mark.parametrize("claimed", [1 << 30, (1 << 36) - 1])
def test_a_header_that_promises_gigabytes_takes_no_memory(tmp_path, noise, claimed):
    path = tmp_path / "long.flac"
    path.write_bytes(with_streaminfo(encoded(noise, RATE, "FLAC", "PCM_16"), samples=claimed))
    with pytest.raises(InputError, match="too long; expected at most 268,435,456 samples"):
        read_audio(path)
    tracemalloc.start()
    with pytest.raises(InputError, match="truncated"), open_audio(path) as recording:
        assert sum(map(len, recording.blocks())) == len(noise)
    assert tracemalloc.get_traced_memory()[1] < 4e6
    tracemalloc.stop()


def test_a_file_that_is_too_long_to_be_held_is_refused_though_its_header_is_silent(tmp_path):
    """A frame of silence takes a dozen bytes."""
    flac = with_streaminfo(encoded(np.zeros((50_000, 1)), RATE, "FLAC", "PCM_16"), samples=0)
    path = tmp_path / "silence.flac"
    path.write_bytes(flac)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode, "MOST_SAMPLES", 49_999)
        with pytest.raises(InputError, match=r"too long; .* 49,999 .* received 50,000"):
            read_audio(path)
    assert len(read_audio(path)[0]) == 50_000


@settings(max_examples=40, deadline=None)
@given(
    frames=st.integers(1, 3_000),
    channels=st.integers(1, 3),
    block=st.integers(1, 4_000),
    container=st.sampled_from(["WAV", "FLAC", "OGG", "AIFF", "MP3"]),
)
def test_blocks_are_the_whole_file_in_pieces(tmp_path_factory, frames, channels, block, container):
    path = tmp_path_factory.getbasetemp() / "blocks"
    channels = min(channels, 2) if container == "MP3" else channels
    noise = np.random.default_rng(frames).uniform(-0.9, 0.9, (frames, channels))
    path.write_bytes(encoded(noise, RATE, container))
    with open_audio(path) as recording:
        assert (recording.sample_rate, recording.channels) == (RATE, channels)
        blocks = list(recording.blocks(block))
    assert {len(one) for one in blocks[:-1]} <= {block}
    np.testing.assert_array_equal(np.concatenate(blocks), read_audio(path)[0])


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 5_000), max_size=8),
    channels=st.integers(1, 3),
    rates=st.tuples(*[st.sampled_from([8_000, 16_000, 22_050, 32_000, 44_100, 48_000])] * 2),
)
def test_resampling_block_by_block_is_resampling_of_the_whole(cuts, channels, rates):
    ends = sorted({*cuts, 5_000})
    samples = np.random.default_rng(1).normal(0, 0.2, (ends[-1], channels)).astype(np.float32)
    blocks = np.split(samples, ends[:-1])
    resampled = np.concatenate(list(resample_blocks(iter(blocks), *rates)))
    np.testing.assert_array_equal(resampled, resample(samples, *rates))


def test_a_store_is_written_without_tensorflow(tmp_path, noise):
    """Every writer process would take seconds to import it."""
    for name in ("a.wav", "b.flac", "c.ogg"):
        content = encoded(noise, RATE, name[2:].upper())
        (tmp_path / name).write_bytes(content)
    code = (
        "import sys; from dcase_system.audio.store import ingest\n"
        f"ingest({str(tmp_path / 'store')!r}, {str(tmp_path)!r}, ['a.wav', 'b.flac', 'c.ogg'],"
        f" clip_seconds={len(noise) / RATE})\n"
        "assert not {'tensorflow', 'keras', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 200), st.sampled_from([8_000, 22_050, 32_000, 44_100, 48_000]))
def test_resampling_keeps_the_duration(milliseconds, rate):
    samples = np.zeros((rate * milliseconds // 1000, 1), np.float32)
    expected = round(len(samples) * 32_000 / rate)
    assert resample(samples, rate, 32_000).shape == (expected, 1)


def test_resampling_keeps_a_tone():
    seconds = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 1_000 * seconds).astype(np.float32)[:, None]
    expected = np.sin(2 * np.pi * 1_000 * np.arange(32_000) / 32_000)
    inside = slice(500, -500)  # the filter rings at the edges
    np.testing.assert_allclose(resample(tone, RATE, 32_000)[inside, 0], expected[inside], atol=2e-3)


def test_resampling_removes_what_the_new_rate_cannot_hold():
    seconds = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 19_000 * seconds).astype(np.float32)[:, None]
    assert np.abs(resample(tone, RATE, 32_000)[500:-500]).max() < 0.01
