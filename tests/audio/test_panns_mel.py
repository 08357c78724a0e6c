"""PANNs' front end against a double-precision reference of the published formula."""

import functools
import math

import keras
import numpy as np
import pytest

from dcase_system.audio.filters import slaney_mel_bank
from dcase_system.audio.front_ends import front_end
from dcase_system.audio.panns_mel import PannsMel
from dcase_system.audio.specs import PannsMelSpec

SPEC = PannsMelSpec()


def mel(hz: float) -> float:
    return hz * 3 / 200 if hz < 1_000 else 15 + 27 * math.log(hz / 1_000) / math.log(6.4)


def hertz(mels: float) -> float:
    return mels * 200 / 3 if mels < 15 else 1_000 * 6.4 ** ((mels - 15) / 27)


@functools.cache
def reference_bank() -> np.ndarray:
    """Slaney's triangles of unit area, one filter and one bin at a time: (513, 64)."""
    step = (mel(14_000) - mel(50)) / 65
    edges = [hertz(mel(50) + step * index) for index in range(66)]
    bank = np.zeros((513, 64))
    for k in range(513):
        hz = k * 32_000 / 1_024
        for m in range(64):
            left, centre, right = edges[m : m + 3]
            height = min((hz - left) / (centre - left), (right - hz) / (right - centre))
            bank[k, m] = max(0.0, height) * 2 / (right - left)
    return bank


def reference(waveform: np.ndarray) -> np.ndarray:
    """(64, frames) float64, frame by frame."""
    padded = np.pad(waveform.astype(np.float64), 512, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1_024) / 1_024)
    columns = []
    for start in range(0, len(waveform) + 1, 320):
        spectrum = np.fft.rfft(padded[start : start + 1_024] * window)
        columns.append(np.abs(spectrum) ** 2 @ reference_bank())
    return 10 * np.log10(np.maximum(np.stack(columns, axis=1), 1e-10))


def test_the_bank_is_slaneys():
    np.testing.assert_allclose(slaney_mel_bank(SPEC), reference_bank(), atol=1e-12)


@pytest.mark.parametrize("kind", ["noise", "quiet", "silence"])
def test_decibels_agree_with_the_published_formula(kind):
    scale = {"noise": 0.1, "quiet": 1e-4, "silence": 0.0}[kind]
    waveform = np.random.default_rng(0).normal(0, scale, 32_000).astype(np.float32)
    computed = PannsMel()(waveform[None]).numpy()[0, :, :, 0]
    np.testing.assert_allclose(computed, reference(waveform), atol=1e-3)


def test_any_length_and_a_thousand_and_one_frames_for_ten_seconds():
    layer = front_end(SPEC)
    assert layer(np.zeros((1, 320_000), np.float32)).shape == (1, 64, 1_001, 1)
    assert layer(np.zeros((2, 32_000), np.float32)).shape == (2, 64, 101, 1)
    assert SPEC.frames(320_000) == 1_001


def test_layer_survives_its_config():
    layer = PannsMel(PannsMelSpec(n_mels=32))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.spec == layer.spec
