"""Morlet wavelets of a scattering transform's first order, as filters on an FFT's bins.

Gives the same numbers as kymatio's filter bank, but needs only NumPy. Frequencies are in cycles per
sample. Each octave has Q wavelets whose width is proportional to their spacing. Below the frequency
where they would exceed 2^J samples, Q - 1 more wavelets of that length are spaced equally.
"""

import math

import numpy as np

_SIGMA_LOWEST = 0.1  # of the low-pass at J = 0
_CROSSING = math.sqrt(0.5)  # neighbours meet at this height
_NEGLIGIBLE = 1e-7
_MOST_PERIODS = 5


def filter_bank(points: int, octaves: int, per_octave: int) -> np.ndarray:
    """Low-pass and wavelets in the frequency domain, each with an impulse response of L1 norm 1.

    Args:
        points: Points N of the FFT.
        octaves: Number of octaves J; the longest filter has 2^J samples.
        per_octave: Wavelets per octave Q.

    Returns:
        float64 (1 + wavelets, points): the low-pass, then the wavelets from the lowest to the
        highest. 2048 points, J = 10 and Q = 16 give 1 + 127.
    """
    centres, deviations = wavelet_parameters(octaves, per_octave)
    wavelets = [
        _morlet(points, centre, deviation)
        for centre, deviation in zip(centres, deviations, strict=True)
    ]
    low_pass = _unit(_gaussian(points, 0.0, _SIGMA_LOWEST / 2**octaves))
    return np.stack([low_pass, *wavelets[::-1]])


def wavelet_parameters(octaves: int, per_octave: int) -> tuple[np.ndarray, np.ndarray]:
    """Centres and deviations of the wavelets in the frequency domain, from the highest down."""
    step = 2.0 ** (1 / per_octave)
    narrowest = _SIGMA_LOWEST / 2**octaves
    centres = [max(1 / (1 + 2 ** (3 / per_octave)), 0.35)]
    width = (step - 1) / (step + 1) / math.sqrt(2 * math.log(1 / _CROSSING))  # of a centre of 1
    while width * centres[-1] > narrowest * step:
        centres.append(centres[-1] / step)
    deviations = [width * centre for centre in centres]
    below = [centres[-1] * (1 - place / per_octave) for place in range(1, per_octave)]
    return np.array(centres + below), np.array(deviations + [narrowest] * len(below))


def _morlet(points: int, centre: float, deviation: float) -> np.ndarray:
    """A Gaussian minus a scaled Gaussian around 0, so that the value at 0 vanishes."""
    bell = _gaussian(points, centre, deviation)
    around_zero = _gaussian(points, 0.0, deviation)
    return _unit(bell - bell[0] / around_zero[0] * around_zero)


def _gaussian(points: int, centre: float, deviation: float) -> np.ndarray:
    """A Gaussian at each bin, with aliases at multiples of the sampling rate added."""
    reach = math.ceil(deviation * math.sqrt(-2 * math.log(_NEGLIGIBLE)) + 1)
    periods = min(max(reach, 1), _MOST_PERIODS)
    hertz = np.arange((1 - periods) * points, periods * points) / points
    bells = np.exp(-((hertz - centre) ** 2) / (2 * deviation**2))
    return bells.reshape(-1, points).sum(axis=0)


def _unit(spectrum: np.ndarray) -> np.ndarray:
    return spectrum / np.abs(np.fft.ifft(spectrum)).sum()
