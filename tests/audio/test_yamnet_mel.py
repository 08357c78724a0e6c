"""YAMNet's front end: the published formula, and resampling from 32 to 16 kHz."""

import keras
import numpy as np
import tensorflow as tf

from dcase_system.audio.front_ends import front_end
from dcase_system.audio.specs import YamnetMelSpec
from dcase_system.audio.yamnet_mel import YamnetMel

AT_16_KHZ = YamnetMelSpec(sample_rate=16_000, decimation=1)


def published(waveform: np.ndarray) -> np.ndarray:
    """In double precision, from the constants of research/audioset/yamnet/params.py."""
    starts = np.arange(0, len(waveform) - 400 + 1, 160)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = np.stack([waveform[start : start + 400] * window for start in starts])
    bank = tf.signal.linear_to_mel_weight_matrix(64, 257, 16_000, 125.0, 7_500.0, tf.float64)
    return np.log(np.abs(np.fft.rfft(frames, 512)) @ bank.numpy() + 0.001).T


def test_the_log_mel_is_the_published_one():
    x = np.random.default_rng(0).normal(0, 0.1, 15_600)
    log_mel = front_end(AT_16_KHZ)(x[None].astype(np.float32))
    assert log_mel.shape == (1, 64, 96, 1)  # one patch
    np.testing.assert_allclose(log_mel[0, :, :, 0], published(x), atol=1e-4)


def test_it_takes_32_khz_as_if_resampled():
    time = np.arange(32_000) / 32_000
    x = 0.3 * np.sin(2 * np.pi * 700 * time) + 0.1 * np.sin(2 * np.pi * 7_000 * time)
    decimated = YamnetMel().decimate(x[None].astype(np.float32)).numpy()[0]
    np.testing.assert_allclose(decimated[100:-100], x[::2][100:-100], atol=2e-3)
    above = np.sin(2 * np.pi * 9_000 * time)  # would become 7 kHz
    assert np.abs(YamnetMel().decimate(above[None].astype(np.float32)))[:, 100:-100].max() < 2e-3


def test_frames_and_shapes_of_clips_of_any_length():
    for samples in (32_000, 31_200, 20_001, 800, 100):
        log_mel = YamnetMel()(np.zeros((1, samples), np.float32))
        assert log_mel.shape == (1, 64, YamnetMelSpec().frames(samples), 1)
        np.testing.assert_allclose(log_mel, YamnetMelSpec().mask_value, atol=1e-6)
    assert YamnetMelSpec().frames(32_000) == 98
    restored = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(YamnetMel(AT_16_KHZ))
    )
    assert restored.spec == AT_16_KHZ
