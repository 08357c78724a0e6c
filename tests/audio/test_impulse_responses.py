"""Device augmentation: the formula, which clips it changes, and refused folders."""

import numpy as np
import pytest
from scipy.io import wavfile

from dcase_system.audio.impulse_responses import (
    DeviceAugmentation,
    ImpulseResponses,
    convolve,
    read_impulse_responses,
)
from dcase_system.core.errors import InputError

GENERATOR = np.random.default_rng(0)
RESPONSES = ImpulseResponses(np.float32([[0.0, 1.0], [0.5, 0.0]]), "two")
CLIPS = GENERATOR.normal(size=(6, 50)).astype(np.float32)


def write(path, response, rate=32_000):
    wavfile.write(path, rate, np.asarray(response, np.float32))


def test_convolution_is_the_full_one_cut_to_the_clip():
    responses = GENERATOR.normal(size=(6, 20)).astype(np.float32)
    expected = [
        np.convolve(clip.astype(np.float64), response)[:50]
        for clip, response in zip(CLIPS, responses, strict=True)
    ]
    np.testing.assert_allclose(convolve(CLIPS, responses), expected, atol=1e-5)


def test_only_eligible_clips_are_convolved_each_with_one_response():
    eligible = np.array([True, False, True, True, False, True, True])
    augment = DeviceAugmentation(RESPONSES, eligible, 1.0)
    positions = np.array([6, 1, 2, 4, 0, 3])
    before = CLIPS.copy()
    augmented = augment(CLIPS, positions, np.random.default_rng(1))
    np.testing.assert_array_equal(CLIPS, before)
    delayed = np.pad(CLIPS, ((0, 0), (1, 0)))[:, :-1]
    for row, position in enumerate(positions):
        candidates = [delayed[row], CLIPS[row] / 2] if eligible[position] else [CLIPS[row]]
        assert any(np.allclose(augmented[row], candidate, atol=1e-6) for candidate in candidates)


def test_the_probability_is_that_of_an_eligible_clip():
    augment = DeviceAugmentation(RESPONSES, np.ones(4_000, bool), 0.6)
    clips = np.ones((4_000, 4), np.float32)
    augmented = augment(clips, np.arange(4_000), np.random.default_rng(0))
    changed = (augmented != clips).any(axis=1).mean()
    assert changed == pytest.approx(0.6, abs=0.03)


def test_draws_repeat_with_the_generator():
    augment = DeviceAugmentation(RESPONSES, np.ones(6, bool), 0.6)
    once, again, other = (
        augment(CLIPS, np.arange(6), np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)


def test_responses_are_read_by_name_resampled_and_of_unit_energy(tmp_path):
    write(tmp_path / "b.wav", [0.0, 0.25, 0.0, 0.0])
    write(tmp_path / "a.WAV", np.hanning(90), rate=16_000)
    (tmp_path / "LICENCE.txt").write_text("notes beside the files do not disturb")
    (tmp_path / "._a.WAV").write_bytes(b"\0\5\x16\7 as macOS leaves them")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "c.wav").write_text("of another folder")
    read = read_impulse_responses(tmp_path)
    assert len(read) == 2
    assert read.responses.shape == (2, 180)
    np.testing.assert_allclose(np.square(read.responses).sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(read.responses[1, :4], [0, 1, 0, 0], atol=1e-6)


def test_the_key_names_the_content(tmp_path):
    write(tmp_path / "a.wav", [0.0, 0.5])
    keys = {read_impulse_responses(tmp_path).key, read_impulse_responses(tmp_path).key}
    write(tmp_path / "a.wav", [0.5, 0.5])
    keys.add(read_impulse_responses(tmp_path).key)
    assert len(keys) == 2


def test_folders_without_usable_responses_are_refused_in_one_line(tmp_path):
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(InputError, match="no impulse responses; expected a folder of"):
            read_impulse_responses(folder)
    write(tmp_path / "good.wav", [1.0, 0.5])
    faults = {
        "stereo": (np.ones((8, 2)), "impulse response is not mono; expected 1 channel; received 2"),
        "silent": (np.zeros(8), "impulse response is silent"),
        "nan": ([1.0, np.nan], "NaN or infinite"),
    }
    for name, (samples, message) in faults.items():
        write(tmp_path / f"{name}.wav", samples)
        with pytest.raises(InputError, match=rf"{name}\.wav: .*{message}") as caught:
            read_impulse_responses(tmp_path)
        assert "\n" not in str(caught.value)
        (tmp_path / f"{name}.wav").unlink()
    (tmp_path / "broken.wav").write_bytes((tmp_path / "good.wav").read_bytes()[:50])
    with pytest.raises(InputError, match=r"broken\.wav"):
        read_impulse_responses(tmp_path)


@pytest.mark.shared
def test_measured_responses_are_read(shared):
    read = read_impulse_responses(shared / "impulse_responses")
    assert len(read) == 60
    np.testing.assert_allclose(np.square(read.responses).sum(axis=1), 1.0, rtol=1e-4)
