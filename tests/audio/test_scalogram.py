"""The scalogram: against NumPy in double precision, its shapes, its segments."""

import keras
import numpy as np
import pytest

from dcase_system.audio.scalogram import Scalogram, code_scalogram, cut_segments
from dcase_system.audio.specs import ScalogramSpec
from dcase_system.audio.wavelets import filter_bank
from dcase_system.core.errors import InputError

PAPER, CODE = ScalogramSpec(), code_scalogram()


def reference(ears: np.ndarray, spec: ScalogramSpec) -> np.ndarray:
    """(samples, 2) to (bands, frames, 2), frame by frame."""
    bank = filter_bank(spec.fft_length, spec.octaves, spec.per_octave)
    bank = bank[:, : spec.fft_length // 2 + 1]
    place = np.arange(spec.window_length)
    window = 0.54 - 0.46 * np.cos(2 * np.pi * place / spec.window_length)
    of_ears = []
    for ear in ears.T.astype(np.float64):
        padded = np.pad(ear, spec.window_length // 2, mode="reflect")
        starts = spec.hop_length * np.arange(spec.frames(len(ear)))
        frames = np.stack([padded[s : s + spec.window_length] * window for s in starts])
        power = np.abs(np.fft.rfft(frames, spec.fft_length)) ** 2
        if spec.log_first:
            of_ears.append(bank @ (10 * np.log10(np.maximum(power, 1e-10))).T)
        else:
            levels = 10 * np.log10(np.maximum(bank @ power.T, 1e-10))
            of_ears.append(np.maximum(levels, levels.max() - spec.range_db))
    left, right = of_ears
    return np.stack([(left + right) / 2, left - right], axis=-1)


def noise(seconds: float = 0.3, clips: int = 2) -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.normal(0, 0.05, (clips, round(seconds * 48_000), 2)).astype(np.float32)


def relative_difference(layer, ears, spec) -> float:
    """Returns the largest difference relative to the range of each channel, which normalises it."""
    expected = np.stack([reference(clip, spec) for clip in ears])
    difference = np.abs(layer(ears).numpy() - expected).max(axis=(0, 2))
    extent = expected.max(axis=(0, 2)) - expected.min(axis=(0, 2))
    return float((difference / extent).max())


@pytest.mark.parametrize("spec", [PAPER, CODE], ids=["paper", "code"])
def test_it_is_numpys(spec):
    assert relative_difference(Scalogram(spec), noise(), spec) < 1e-4


def test_levels_of_the_code_are_numpys_in_decibels():
    ears = noise()
    expected = np.stack([reference(clip, CODE) for clip in ears])
    np.testing.assert_allclose(Scalogram(CODE)(ears), expected, atol=5e-4)


def test_ten_seconds_are_1001_frames():
    assert PAPER.bands == 128
    assert PAPER.frames(480_000) == 1_001
    assert (PAPER.segments(480_000), CODE.segments(480_000)) == (7, 8)
    assert Scalogram().compute_output_shape((None, 480_000, 2)) == (None, 128, 1_001, 2)


@pytest.mark.parametrize("spec", [PAPER, CODE], ids=["paper", "code"])
def test_equal_ears_have_no_difference(spec):
    ears = np.repeat(noise()[..., :1], 2, axis=-1)
    features = Scalogram(spec)(ears).numpy()
    assert np.abs(features[..., 1]).max() == 0
    assert features[..., 0].std() > 0


@pytest.mark.parametrize("spec", [PAPER, CODE], ids=["paper", "code"])
def test_silence_is_finite(spec):
    assert np.isfinite(Scalogram(spec)(np.zeros((1, 4_800, 2), np.float32))).all()


def test_a_quiet_clip_is_not_changed_by_a_loud_one_in_its_batch():
    quiet, loud = noise(clips=1) * 1e-3, noise(clips=1)
    alone = Scalogram(CODE)(quiet).numpy()
    beside = Scalogram(CODE)(np.concatenate([quiet, loud])).numpy()[:1]
    np.testing.assert_allclose(alone, beside, atol=1e-4)


def test_segments_follow_each_other():
    features = np.arange(2 * 3 * 300 * 2, dtype=np.float32).reshape(2, 3, 300, 2)
    whole = np.asarray(cut_segments(features, PAPER))
    assert whole.shape == (2, 2, 3, 128, 2)
    np.testing.assert_array_equal(whole[:, 1], features[:, :, 128:256])
    filled = np.asarray(cut_segments(features, CODE))
    assert filled.shape == (2, 3, 3, 128, 2)
    np.testing.assert_array_equal(filled[:, 2, :, :44], features[:, :, 256:])
    assert (filled[:, 2, :, 44:] == -80).all()


@pytest.mark.parametrize("spec", [PAPER, CODE], ids=["paper", "code"])
def test_a_clip_shorter_than_a_segment_is_refused(spec):
    with pytest.raises(InputError, match="clip is shorter than a segment") as caught:
        spec.segments(48_000)
    assert "101 frames" in str(caught.value)


def test_it_survives_saving(tmp_path):
    ears = keras.Input((4_800, 2))
    model = keras.Model(ears, Scalogram(CODE)(ears))
    model.save(tmp_path / "front.keras")
    again = keras.models.load_model(tmp_path / "front.keras")
    assert again.layers[-1].spec == CODE
