"""The front ends in NumPy give what the Keras layers give."""

import subprocess
import sys

import numpy as np
import pytest

from dcase_system.audio.front_ends import front_end
from dcase_system.audio.mel_features import MelFeatures
from dcase_system.audio.specs import KaldiMelSpec, LogMelSpec, PannsMelSpec, YamnetMelSpec

SAMPLES = 16_000
SPECS = [
    LogMelSpec(),
    LogMelSpec(window_length=801, hop_length=320, fft_length=1_024, n_mels=40, min_hz=50.0),
    KaldiMelSpec(),
    PannsMelSpec(),
    YamnetMelSpec(),
    YamnetMelSpec(sample_rate=16_000, decimation=1),
]


@pytest.fixture(scope="module")
def clips():
    """Noise, silence, noise that clips, and a constant."""
    noise = np.random.default_rng(0).normal(0, 1, SAMPLES)
    return np.float32([0.1 * noise, 0 * noise, np.clip(3 * noise, -1, 1), np.full(SAMPLES, 0.5)])


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_parity_in_the_logarithm(spec, clips):
    found, layer = MelFeatures(spec)(clips), front_end(spec)(clips).numpy()
    assert found.dtype == np.float32 and found.shape == layer.shape
    in_decibels = isinstance(spec, PannsMelSpec)
    # Of a constant, bands hold the FFT's rounding alone: the layer itself is 0.0024 off float64.
    limits = (1e-4, 1e-4, 1e-4, 0.005)
    for one, expected, limit in zip(found, layer, limits, strict=True):
        deviation = np.abs(one - expected).max() / (10 / np.log(10) if in_decibels else 1)
        assert deviation < limit


def test_a_clip_shorter_than_a_window_and_the_low_pass():
    waveform = np.random.default_rng(1).normal(0, 0.1, (1, 100)).astype(np.float32)
    spec = YamnetMelSpec()
    np.testing.assert_allclose(
        MelFeatures(spec)(waveform), front_end(spec)(waveform).numpy(), atol=1e-4
    )


def test_classify_does_not_import_tensorflow():
    code = "import sys; import dcase_system.edge._classify; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
