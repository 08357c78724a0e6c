"""PaSST's front end against a double-precision NumPy reference of the published formula."""

import numpy as np
import pytest
import tensorflow as tf

from dcase_system.audio.augment import AxisMask
from dcase_system.audio.decode import read_audio
from dcase_system.audio.kaldi_mel import KaldiMel, kaldi_mel_bank
from dcase_system.audio.specs import KaldiMelSpec

HANN = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(800) / 799)  # symmetric, not periodic


def reference_bank(max_hz: float, min_hz: float = 0.0) -> np.ndarray:
    """Kaldi's triangles, one filter and one bin at a time: (513, 128)."""

    def mel(hz):
        return 1127 * np.log(1 + hz / 700)

    step = (mel(max_hz) - mel(min_hz)) / 129
    bank = np.zeros((513, 128))
    for k in range(512):  # kaldi has no Nyquist bin
        for m in range(128):
            place = (mel(k * 32_000 / 1_024) - mel(min_hz)) / step - m
            bank[k, m] = max(0.0, min(place, 2 - place))
    return bank


def reference(waveform: np.ndarray, bank: np.ndarray) -> np.ndarray:
    """(128, frames) float64, frame by frame, before the normalisation."""
    samples = waveform.astype(np.float64)
    padded = np.pad(samples[1:] - 0.97 * samples[:-1], 512, mode="reflect")
    columns = []
    for start in range(0, len(samples) - 1, 320):
        windowed = padded[start + 112 : start + 912] * HANN
        columns.append(np.abs(np.fft.rfft(windowed, 1_024)) ** 2 @ bank)
    return np.log(np.stack(columns, axis=1) + 1e-5)


def waveform_of(kind: str) -> np.ndarray:
    time, generator = np.arange(32_000) / 32_000, np.random.default_rng(0)
    return {
        "noise": generator.normal(0, 0.1, 32_000),
        "silence": np.zeros(32_000),
        "loud and quiet": generator.normal(0, 1, 32_000) * np.where(time < 0.5, 0.3, 1e-4),
        "tone": 0.5 * np.sin(2 * np.pi * 440 * time),
    }[kind].astype(np.float32)


@pytest.mark.parametrize("max_hz", [15_000.0, 15_500.0])
@pytest.mark.parametrize("kind", ["noise", "silence", "loud and quiet", "tone"])
def test_front_end_agrees_with_the_published_formula(kind, max_hz):
    waveform = waveform_of(kind)
    computed = KaldiMel(KaldiMelSpec(max_hz=max_hz))(waveform[None]).numpy()
    assert computed.shape == (1, 128, 100, 1)
    expected = (reference(waveform, reference_bank(max_hz)) + 4.5) / 5
    np.testing.assert_allclose(computed[0, ..., 0], expected, atol=1e-3, rtol=0)


@pytest.mark.shared
def test_front_end_agrees_with_the_published_formula_on_real_clips(shared):
    bank = reference_bank(15_000.0)
    for path in sorted((shared / "scenes10" / "audio").iterdir())[::300]:
        waveform = read_audio(path)[0][:, 0]
        computed = KaldiMel()(waveform[None]).numpy()[0, ..., 0]
        expected = (reference(waveform, bank) + 4.5) / 5
        np.testing.assert_allclose(computed, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(("samples", "frames"), [(32_000, 100), (320_000, 1_000), (32_001, 101)])
def test_frames(samples, frames):
    assert KaldiMelSpec().frames(samples) == frames
    assert KaldiMel().compute_output_shape((None, samples)) == (None, 128, frames, 1)


def test_number_of_frames_is_what_it_says():
    for samples in (31_999, 32_000, 32_001, 32_321):
        output = KaldiMel()(np.zeros((1, samples), np.float32))
        assert output.shape[2] == KaldiMelSpec().frames(samples)


def test_bank_is_the_reference_bank_and_has_no_empty_band():
    for min_hz, max_hz in ((0.0, 15_000.0), (0.0, 15_500.0), (9.0, 16_000.0)):
        bank = kaldi_mel_bank(KaldiMelSpec(), min_hz, max_hz).numpy()
        np.testing.assert_allclose(bank, reference_bank(max_hz, min_hz), atol=1e-6)
        assert (bank.sum(axis=0) > 0).all()


def test_mask_after_the_layer_is_the_published_mask_of_the_log_mel_with_zero():
    waveform, bank = waveform_of("noise"), reference_bank(15_000.0)
    starts, widths = np.array([20.0], np.float32), np.array([30.0], np.float32)
    mask = AxisMask(1, 48, KaldiMelSpec().mask_value)
    masked = mask.transform(KaldiMel()(waveform[None]), starts, widths).numpy()[0, ..., 0]
    log_mel = reference(waveform, bank)
    log_mel[20:50] = 0.0
    np.testing.assert_allclose(masked, (log_mel + 4.5) / 5, atol=1e-3, rtol=0)


PUBLISHED_RANGES = KaldiMelSpec(min_hz_range=10, max_hz_range=2_000)


def test_edges_are_drawn_within_their_published_ranges():
    layer = KaldiMel(PUBLISHED_RANGES, seed=0)
    draws = np.array([layer.draw() for _ in range(500)])
    assert set(draws[:, 0]) == set(range(10))
    assert draws[:, 1].min() >= 0
    assert draws[:, 1].max() in range(1_900, 2_000)


def test_drawn_bank_goes_from_the_drawn_lower_to_the_drawn_upper_edge():
    bank = KaldiMel(PUBLISHED_RANGES).transform(tf.constant(7), tf.constant(300)).numpy()
    np.testing.assert_allclose(bank, reference_bank(15_700.0, 7.0), atol=1e-6)


def test_training_draws_and_inference_does_not():
    waveforms = waveform_of("noise")[None]
    layer = KaldiMel(PUBLISHED_RANGES, seed=1)
    plain = KaldiMel()(waveforms).numpy()
    np.testing.assert_array_equal(layer(waveforms), plain)
    np.testing.assert_array_equal(KaldiMel()(waveforms, training=True), plain)
    drawn = layer(waveforms, training=True).numpy()
    assert not np.allclose(drawn, plain, atol=1e-2)
    again = KaldiMel.from_config(layer.get_config())
    np.testing.assert_array_equal(again(waveforms, training=True), drawn)
    graph = tf.function(lambda x: again(x, training=True))
    np.testing.assert_allclose(graph(waveforms), layer(waveforms, training=True), atol=1e-4)
