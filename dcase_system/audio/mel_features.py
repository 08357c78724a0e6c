"""The mel front ends in NumPy: for a clip at a time, on one thread, without TensorFlow.

The same numbers as the Keras layers', to the rounding of float32. SciPy's FFT takes a fraction of
the time that TFLite's or TensorFlow's takes.
"""

import numpy as np
from scipy.fft import rfft
from scipy.sparse import csr_array

from dcase_system.audio.filters import (
    DECIBELS,
    fixed_kaldi_mel_bank,
    htk_mel_bank,
    low_pass,
    slaney_mel_bank,
    yamnet_mel_bank,
)
from dcase_system.audio.specs import (
    NORMALISED_SCALE,
    NORMALISED_SHIFT,
    KaldiMelSpec,
    LogMelSpec,
    PannsMelSpec,
    YamnetMelSpec,
)

MelSpec = LogMelSpec | KaldiMelSpec | PannsMelSpec | YamnetMelSpec


class MelFeatures:
    """Computes the features of a mel front end.

    Args:
        spec: Constants of the front end.
    """

    def __init__(self, spec: MelSpec):
        self.spec = spec
        self._window = hann_window(spec.window_length, periodic=not isinstance(spec, KaldiMelSpec))
        self._bank = csr_array(_bank(spec).T.astype(np.float32))  # (n_mels, bins)

    def __call__(self, waveforms: np.ndarray) -> np.ndarray:
        """Maps float32 waveforms (clips, samples) to (clips, n_mels, frames, 1) float32."""
        power = self._power(self._signal(waveforms))  # (clips, frames, bins)
        if isinstance(self.spec, YamnetMelSpec):
            power = np.sqrt(power)
        # A sparse product: NumPy's would call BLAS, which divides even a small one among threads.
        columns = np.ascontiguousarray(power.reshape(-1, power.shape[-1]).T)
        mel = (self._bank @ columns).reshape(-1, *power.shape[:2])  # (n_mels, clips, frames)
        return self._logarithm(mel).swapaxes(0, 1)[..., None]

    def _signal(self, waveforms: np.ndarray) -> np.ndarray:
        """Returns what the windows are cut from: (clips, samples), extended at the ends."""
        spec = self.spec
        if isinstance(spec, YamnetMelSpec):
            decimated = _decimate(waveforms, spec.decimation)
            missing = max(0, spec.window_length - decimated.shape[1])
            return np.pad(decimated, [(0, 0), (0, missing)])
        if isinstance(spec, KaldiMelSpec):
            waveforms = waveforms[:, 1:] - np.float32(spec.pre_emphasis) * waveforms[:, :-1]
        half = spec.window_length // 2
        return np.pad(waveforms, [(0, 0), (half, half)], mode="reflect")

    def _power(self, signal: np.ndarray) -> np.ndarray:
        spec = self.spec
        points = spec.window_length if isinstance(spec, PannsMelSpec) else spec.fft_length
        windows = np.lib.stride_tricks.sliding_window_view(signal, spec.window_length, axis=1)
        spectrum = rfft(windows[:, :: spec.hop_length] * self._window, points, overwrite_x=True)
        power = np.square(spectrum.real)
        power += np.square(spectrum.imag)
        return power

    def _logarithm(self, mel: np.ndarray) -> np.ndarray:
        spec = self.spec
        if isinstance(spec, PannsMelSpec):
            return np.log(np.maximum(mel, np.float32(spec.smallest_power))) * np.float32(DECIBELS)
        log_mel = np.log(mel + np.float32(spec.log_offset))
        if isinstance(spec, KaldiMelSpec):
            return (log_mel + np.float32(NORMALISED_SHIFT)) / np.float32(NORMALISED_SCALE)
        return log_mel


def hann_window(length: int, periodic: bool = True) -> np.ndarray:
    """Returns `tf.signal.hann_window`, which is symmetric for every odd length: (length,)."""
    period = length - 1 + (periodic and length % 2 == 0)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / max(1, period))
    return window.astype(np.float32)


def _bank(spec: MelSpec) -> np.ndarray:
    if isinstance(spec, LogMelSpec):
        return htk_mel_bank(spec)
    if isinstance(spec, KaldiMelSpec):
        return fixed_kaldi_mel_bank(spec)
    return slaney_mel_bank(spec) if isinstance(spec, PannsMelSpec) else yamnet_mel_bank(spec)


def _decimate(waveforms: np.ndarray, factor: int) -> np.ndarray:
    if factor == 1:
        return waveforms
    taps = low_pass(factor)
    padded = np.pad(waveforms, [(0, 0), (len(taps) // 2, len(taps) // 2)])
    return np.stack([np.convolve(one, taps, "valid")[::factor] for one in padded])
