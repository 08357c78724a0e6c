"""The log-mel front end of the DCASE 2024 Task 1 baseline, as a Keras layer."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class LogMelSpec:
    """Constants of a log-mel front end; the defaults are the 2024 baseline's.

    Attributes:
        sample_rate: Sample rate in Hz.
        window_length: Samples of the periodic Hann window (96 ms).
        hop_length: Samples between frames (15.6 ms).
        fft_length: Points of the FFT; the window is centred in it.
        n_mels: Number of mel bands.
        min_hz: Lower edge of the first band.
        max_hz: Upper edge of the last band.
        log_offset: Offset added to the mel power before the logarithm.
    """

    sample_rate: int = 32_000
    window_length: int = 3_072
    hop_length: int = 500
    fft_length: int = 4_096
    n_mels: int = 256
    min_hz: float = 0.0
    max_hz: float = 16_000.0
    log_offset: float = 1e-5

    @property
    def mask_value(self) -> float:
        """Output value of masked bins: the baseline zeroes the mel power before the logarithm."""
        return math.log(self.log_offset)

    def frames(self, samples: int) -> int:
        """Frames of a clip of `samples` samples; the first is centred on the first sample."""
        return samples // self.hop_length + 1


def power_spectrogram(
    waveforms, window_length: int, hop_length: int, fft_length: int, window: Callable
):
    """Power of centred frames: (batch, samples) to (batch, frames, fft_length // 2 + 1).

    `window` makes a window of a given length, as for `tf.signal.stft`.
    """
    # The FFT is longer than the window, but samples outside the window are multiplied by zero: half
    # a window of reflected samples is enough.
    half = window_length // 2
    padded = tf.pad(waveforms, [[0, 0], [half, half]], mode="REFLECT")
    spectrum = tf.signal.stft(padded, window_length, hop_length, fft_length, window)
    return tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))


MelBlocks = tuple[tuple[int, int, np.ndarray], ...]
_BANDS_A_BLOCK = 32
DECIBELS = 10.0 / math.log(10.0)
"""Factor from the natural logarithm of a power to decibels."""


def mel_blocks(bank: np.ndarray) -> MelBlocks:
    """Splits a mel bank (bins, bands) into blocks of 32 bands: first bin, end bin, float32 filters.

    A filter covers few bins. In blocks, 256 bands of 2,049 bins need an eighth of the products, and
    an eighth of the bytes in an exported file.
    """
    blocks = []
    for first in range(0, bank.shape[1], _BANDS_A_BLOCK):
        filters = bank[:, first : first + _BANDS_A_BLOCK]
        bins = np.flatnonzero(filters.any(axis=1))
        begin, end = (int(bins[0]), int(bins[-1]) + 1) if len(bins) else (0, 1)
        blocks.append((begin, end, filters[begin:end].astype(np.float32)))
    return tuple(blocks)


def mel_power(power, blocks: MelBlocks):
    """Power of mel bands: (batch, frames, bins) to (batch, frames, bands)."""
    return tf.concat(
        [tf.matmul(power[..., begin:end], filters) for begin, end, filters in blocks], axis=-1
    )


def decibels(power, smallest_power: float):
    """10 log10(max(power, smallest_power)), elementwise."""
    return tf.math.log(tf.maximum(power, smallest_power)) * DECIBELS


def htk_mel_bank(spec: LogMelSpec) -> np.ndarray:
    """Triangular HTK mel filters without normalisation, float64, (fft_length // 2 + 1, n_mels).

    mel = 2595 log10(1 + f / 700); the triangles are linear in Hz, as in torchaudio
    (`mel_scale="htk"`, `norm=None`).
    """
    mel_edges = 2595.0 * np.log10(1.0 + np.array([spec.min_hz, spec.max_hz]) / 700.0)
    points_hz = 700.0 * (
        10.0 ** (np.linspace(mel_edges[0], mel_edges[1], spec.n_mels + 2) / 2595.0) - 1.0
    )
    bins_hz = np.linspace(0.0, spec.sample_rate / 2, spec.fft_length // 2 + 1)[:, None]
    left, centre, right = points_hz[:-2], points_hz[1:-1], points_hz[2:]
    rising, falling = (bins_hz - left) / (centre - left), (right - bins_hz) / (right - centre)
    return np.maximum(0.0, np.minimum(rising, falling))


@keras.saving.register_keras_serializable("dcase_system")
class LogMel(keras.layers.Layer):
    """Waveform to log-mel spectrogram: log(mel power + offset), not normalised.

    Input: float waveforms (batch, samples), full scale = 1.
    Output: (batch, n_mels, frames, 1); 1 s at the default constants gives (batch, 256, 65, 1).

    Frames are centred: the waveform is extended by reflection by half a window on each side
    (torchaudio's `center=True`). The layer has no weights.
    """

    def __init__(self, spec: LogMelSpec | dict | None = None, **kwargs):
        super().__init__(**kwargs)
        self.spec = LogMelSpec(**spec) if isinstance(spec, dict) else spec or LogMelSpec()
        self._blocks = mel_blocks(htk_mel_bank(self.spec))

    def call(self, waveforms):
        spec = self.spec
        power = power_spectrogram(
            waveforms, spec.window_length, spec.hop_length, spec.fft_length, tf.signal.hann_window
        )
        mel = mel_power(power, self._blocks)  # (batch, frames, mels)
        log_mel = tf.math.log(mel + spec.log_offset)
        return tf.transpose(log_mel, [0, 2, 1])[..., None]  # (batch, mels, frames, 1)

    def compute_output_shape(self, input_shape):
        samples = input_shape[1]
        return (input_shape[0], self.spec.n_mels, samples and self.spec.frames(samples), 1)

    def get_config(self):
        return {**super().get_config(), "spec": dict(vars(self.spec))}
