import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.audio.decode import read_audio, resample
from dcase_system.audio.header import parse_header
from dcase_system.errors import InputError
from tests.audio.audio_files import wav_bytes, write_with_soundfile

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


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_kept_apart(tmp_path, channels):
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (500, channels))
    path = tmp_path / "clip.wav"
    path.write_bytes(wav_bytes(samples, RATE, 16))
    np.testing.assert_allclose(read_audio(path)[0], samples, atol=2e-5)


@pytest.mark.parametrize(("subtype", "tolerance"), [("PCM_16", 2e-5), ("PCM_24", 2e-7)])
def test_flac_decodes_to_its_samples(tmp_path, noise, subtype, tolerance):
    path = tmp_path / "clip.flac"
    write_with_soundfile(path, noise, RATE, subtype)
    samples, rate = read_audio(path)
    assert rate == RATE
    np.testing.assert_allclose(samples, noise, atol=tolerance)


def test_ogg_decodes_close_to_its_samples(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)[:, None]
    path = tmp_path / "clip.ogg"
    write_with_soundfile(path, tone, RATE, "VORBIS")
    samples, rate = read_audio(path)
    assert rate == RATE
    assert len(samples) == RATE
    assert np.abs(samples - tone).mean() < 0.01


def test_missing_and_empty_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.wav: audio file is missing"):
        read_audio(tmp_path / "gone.wav")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(InputError, match=r"empty\.wav: audio file is empty"):
        read_audio(tmp_path / "empty.wav")


def test_text_renamed_to_wav_is_refused(tmp_path):
    path = tmp_path / "text.wav"
    path.write_text("filename\tscene_label\n")
    with pytest.raises(InputError, match="not an audio file; expected WAV, FLAC or Ogg"):
        read_audio(path)


def test_truncated_wav_says_how_much_is_missing(tmp_path, noise):
    path = tmp_path / "cut.wav"
    path.write_bytes(wav_bytes(noise, RATE, 24)[:-100])
    with pytest.raises(
        InputError, match="truncated; expected 6000 bytes of samples; received 5900"
    ):
        read_audio(path)


def test_truncated_flac_is_refused(tmp_path, noise):
    path = tmp_path / "cut.flac"
    write_with_soundfile(path, noise, RATE, "PCM_16")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match=r"cut\.flac: flac data is broken or truncated"):
        read_audio(path)


def test_eight_bit_wav_is_refused_by_name_of_its_format(tmp_path, noise):
    path = tmp_path / "eight.wav"
    path.write_bytes(wav_bytes(noise, RATE, 8))
    with pytest.raises(InputError, match="received format tag 1, 8 bits"):
        read_audio(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, noise, value):
    bad = noise.copy()
    bad[7] = value
    path = tmp_path / "nan.wav"
    path.write_bytes(wav_bytes(bad, RATE, 32, is_float=True))
    with pytest.raises(InputError, match="NaN or infinite"):
        read_audio(path)


@given(st.binary(max_size=200), st.sampled_from([b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS", b""]))
def test_any_bytes_are_a_header_or_one_clear_line(data, start):
    try:
        parse_header(start + data, "file")
    except InputError as error:
        assert "\n" not in str(error)


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
