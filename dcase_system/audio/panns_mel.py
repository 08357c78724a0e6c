"""The log-mel front end of PANNs (Kong et al., 2020), as a Keras layer."""

import math
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from dcase_system.audio.log_mel import decibels, mel_blocks, mel_power, power_spectrogram

_HZ_A_MEL = 200.0 / 3.0  # Slaney's scale is linear up to 1 kHz, logarithmic above
_CORNER_HZ = 1_000.0
_LOG_STEP = math.log(6.4) / 27.0


@dataclass(frozen=True)
class PannsMelSpec:
    """Constants of the front end; the defaults are the published ones.

    Attributes:
        sample_rate: Sample rate in Hz.
        window_length: Samples of the periodic Hann window (32 ms), and points of the FFT.
        hop_length: Samples between frames (10 ms).
        n_mels: Number of mel bands.
        min_hz: Lower edge of the first band.
        max_hz: Upper edge of the last band.
        smallest_power: Lower limit of the mel power before the logarithm.
    """

    sample_rate: int = 32_000
    window_length: int = 1_024
    hop_length: int = 320
    n_mels: int = 64
    min_hz: float = 50.0
    max_hz: float = 14_000.0
    smallest_power: float = 1e-10

    @property
    def mask_value(self) -> float:
        """The level of silence in decibels."""
        return 10.0 * math.log10(self.smallest_power)

    def frames(self, samples: int) -> int:
        """Frames of a clip: 1,001 for 10 s (the paper of the supernet says 1,000)."""
        return samples // self.hop_length + 1


def slaney_mel_bank(spec: PannsMelSpec) -> np.ndarray:
    """Triangular mel filters of unit area on Slaney's scale, float64, (bins, n_mels).

    As librosa's `filters.mel` with its defaults, `htk=False` and `norm="slaney"`.
    """
    edges_mel = _mels(np.array([spec.min_hz, spec.max_hz]))
    points_hz = _hertz(np.linspace(edges_mel[0], edges_mel[1], spec.n_mels + 2))
    bins_hz = np.linspace(0.0, spec.sample_rate / 2, spec.window_length // 2 + 1)[:, None]
    left, centre, right = points_hz[:-2], points_hz[1:-1], points_hz[2:]
    rising, falling = (bins_hz - left) / (centre - left), (right - bins_hz) / (right - centre)
    return np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (right - left)


@keras.saving.register_keras_serializable("dcase_system")
class PannsMel(keras.layers.Layer):
    """Waveform to log-mel spectrogram in decibels: 10 log10(max(mel power, 1e-10)).

    Input: float waveforms (batch, samples), full scale = 1.
    Output: (batch, n_mels, frames, 1); 10 s at the default constants gives (batch, 64, 1001, 1).

    Frames are centred, with reflected edges. The layer has no weights.
    """

    def __init__(self, spec: PannsMelSpec | dict | None = None, **kwargs):
        super().__init__(**kwargs)
        self.spec = PannsMelSpec(**spec) if isinstance(spec, dict) else spec or PannsMelSpec()
        self._blocks = mel_blocks(slaney_mel_bank(self.spec))

    def call(self, waveforms):
        spec = self.spec
        power = power_spectrogram(
            waveforms,
            spec.window_length,
            spec.hop_length,
            spec.window_length,
            tf.signal.hann_window,
        )
        mel = mel_power(power, self._blocks)  # (batch, frames, mels)
        levels = decibels(mel, spec.smallest_power)
        return tf.transpose(levels, [0, 2, 1])[..., None]  # (batch, mels, frames, 1)

    def compute_output_shape(self, input_shape):
        samples = input_shape[1]
        return (input_shape[0], self.spec.n_mels, samples and self.spec.frames(samples), 1)

    def get_config(self):
        return {**super().get_config(), "spec": dict(vars(self.spec))}


def _mels(hertz: np.ndarray) -> np.ndarray:
    above = np.log(np.maximum(hertz, _CORNER_HZ) / _CORNER_HZ) / _LOG_STEP
    return np.minimum(hertz, _CORNER_HZ) / _HZ_A_MEL + above


def _hertz(mels: np.ndarray) -> np.ndarray:
    corner = _CORNER_HZ / _HZ_A_MEL
    below = np.minimum(mels, corner) * _HZ_A_MEL
    return below * np.exp(_LOG_STEP * np.maximum(mels - corner, 0.0))
