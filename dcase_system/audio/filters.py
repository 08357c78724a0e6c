"""Mel filters of the front ends, and the low-pass before a decimation, in NumPy."""

import math

import numpy as np

from dcase_system.audio.specs import KaldiMelSpec, LogMelSpec, PannsMelSpec, YamnetMelSpec

_HZ_A_MEL = 200.0 / 3.0  # Slaney's scale is linear up to 1 kHz, logarithmic above
_CORNER_HZ = 1_000.0
_LOG_STEP = math.log(6.4) / 27.0
_TAPS = 127  # from 32 to 16 kHz, the transition is 7.5 to 8.5 kHz
_KAISER_BETA = 5.65  # 60 dB

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


def fixed_kaldi_mel_bank(spec: KaldiMelSpec) -> np.ndarray:
    """`kaldi_mel_bank` between the spec's own edges, float64, without TensorFlow."""
    bins = spec.fft_length // 2 + 1
    bins_mel = _natural_mels(np.arange(bins) * (spec.sample_rate / spec.fft_length))[:, None]
    edges_mel = _natural_mels(np.array([spec.min_hz, spec.max_hz]))
    bank = _triangles_in_mel(bins_mel, edges_mel, spec.n_mels)
    if spec.fft_length % 2 == 0:
        bank[-1] = 0.0  # the Nyquist bin
    return bank


def yamnet_mel_bank(spec: YamnetMelSpec) -> np.ndarray:
    """`tf.signal.linear_to_mel_weight_matrix` of a spec, float64, without TensorFlow."""
    nyquist_hz = spec.sample_rate / spec.decimation / 2
    bins_mel = _natural_mels(np.linspace(0.0, nyquist_hz, spec.fft_length // 2 + 1))[:, None]
    edges_mel = _natural_mels(np.array([spec.min_hz, spec.max_hz]))
    bank = _triangles_in_mel(bins_mel, edges_mel, spec.n_mels)
    bank[0] = 0.0  # no band has the constant part
    return bank


def low_pass(factor: int) -> np.ndarray:
    """Returns the taps of the symmetric low-pass before a decimation, float32 (127,)."""
    from scipy.signal import firwin  # takes a third of a second, and few front ends need it

    return firwin(_TAPS, 1.0 / factor, window=("kaiser", _KAISER_BETA)).astype(np.float32)


def _triangles_in_mel(bins_mel: np.ndarray, edges_mel: np.ndarray, bands: int) -> np.ndarray:
    """Triangular filters, linear in mel, equally spaced between two edges: (bins, bands)."""
    points = np.linspace(edges_mel[0], edges_mel[1], bands + 2)
    left, centre, right = points[:-2], points[1:-1], points[2:]
    rising, falling = (bins_mel - left) / (centre - left), (right - bins_mel) / (right - centre)
    return np.maximum(0.0, np.minimum(rising, falling))


def _natural_mels(hertz: np.ndarray) -> np.ndarray:
    return 1127.0 * np.log(1.0 + hertz / 700.0)


def _mels(hertz: np.ndarray) -> np.ndarray:
    above = np.log(np.maximum(hertz, _CORNER_HZ) / _CORNER_HZ) / _LOG_STEP
    return np.minimum(hertz, _CORNER_HZ) / _HZ_A_MEL + above


def _hertz(mels: np.ndarray) -> np.ndarray:
    corner = _CORNER_HZ / _HZ_A_MEL
    below = np.minimum(mels, corner) * _HZ_A_MEL
    return below * np.exp(_LOG_STEP * np.maximum(mels - corner, 0.0))
