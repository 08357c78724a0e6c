"""Building blocks of the demo corpus: noise, tones, envelopes and events.

All signals are float32 of shape (samples,) at 44.1 kHz.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import fft

RATE_HZ = 44_100

BANDS_HZ = (50, 150, 400, 1_000, 2_500, 6_000, 12_000, 20_000)
"""Frequencies at which the colour of a place or a device is specified."""


def between(low: float, high: float, character: float) -> float:
    """The value at `character`, from 0 to 1, on a logarithmic scale from `low` to `high`."""
    return float(low * (high / low) ** character)


def noise(
    generator: np.random.Generator, samples: int, low_hz: float, high_hz: float, slope_db: float
) -> np.ndarray:
    """Noise between two frequencies that falls by `slope_db` per octave, 1 in RMS."""
    length = fft.next_fast_len(samples, real=True)
    spectrum = generator.standard_normal(2 * (length // 2 + 1), np.float32).view(np.complex64)
    return unit(fft.irfft(spectrum * _band(length, low_hz, high_hz, slope_db), length)[:samples])


def filtered(signal: np.ndarray, low_hz: float, high_hz: float, slope_db: float) -> np.ndarray:
    """Limits a signal to a frequency band, tilted by `-slope_db` per octave and scaled to RMS 1."""
    length = fft.next_fast_len(len(signal), real=True)
    spectrum = fft.rfft(signal, length) * _band(length, low_hz, high_hz, slope_db)
    return unit(fft.irfft(spectrum, length)[: len(signal)])


@lru_cache(maxsize=64)
def _band(length: int, low_hz: float, high_hz: float, slope_db: float) -> np.ndarray:
    """Gain at each bin of a real FFT of `length` samples."""
    hertz = np.maximum(fft.rfftfreq(length, 1 / RATE_HZ), 1.0)
    tilt = (hertz / low_hz) ** (-slope_db / 6.02)
    gain = tilt / ((1 + (low_hz / hertz) ** 6) * (1 + (hertz / high_hz) ** 6))
    return gain.astype(np.float32)


def equalised(signal: np.ndarray, gains_db: tuple[float, ...]) -> np.ndarray:
    """Applies gains at `BANDS_HZ`, linearly interpolated between them."""
    # Zero-padding keeps the response from wrapping around to the other end.
    length = fft.next_fast_len(len(signal) + 1_024, real=True)
    spectrum = fft.rfft(signal, length) * _response(length, gains_db)
    return fft.irfft(spectrum, length)[: len(signal)]


@lru_cache(maxsize=64)
def _response(length: int, gains_db: tuple[float, ...]) -> np.ndarray:
    hertz = np.maximum(fft.rfftfreq(length, 1 / RATE_HZ), 1.0)
    decibels = np.interp(np.log(hertz), np.log(BANDS_HZ), gains_db)
    return (10 ** (decibels / 20)).astype(np.float32)


def convolved(signal: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Causal convolution, as long as `signal`."""
    length = fft.next_fast_len(len(signal) + len(kernel) - 1, real=True)
    spectrum = fft.rfft(signal, length) * fft.rfft(kernel, length)
    return fft.irfft(spectrum, length)[: len(signal)]


def unit(signal: np.ndarray) -> np.ndarray:
    """Scales a signal to RMS 1; silence stays silence."""
    return signal / (np.sqrt(np.mean(signal**2)) + np.float32(1e-9))


def swell(generator: np.random.Generator, samples: int, rate_hz: float) -> np.ndarray:
    """A random curve between 0 and 1 that turns about `rate_hz` times per second."""
    heights = generator.random(int(samples / RATE_HZ * rate_hz) + 3)
    moments = np.arange(samples) * (rate_hz / RATE_HZ)
    return np.interp(moments, np.arange(len(heights)), heights).astype(np.float32)


def glide(samples: int, octaves: float) -> np.ndarray:
    """Factors of a pitch that slides by `octaves`."""
    return (2.0 ** np.linspace(0, octaves, samples)).astype(np.float32)


def decay(samples: int, seconds: float) -> np.ndarray:
    """An exponential decay to 1/e in `seconds`."""
    return np.exp(-np.arange(samples, dtype=np.float32) / (seconds * RATE_HZ))


def sine(pitch_hz: np.ndarray) -> np.ndarray:
    """A sine of amplitude 1 with the given pitch at each sample."""
    return np.sin(2 * np.pi * _cycles(pitch_hz))


def saw(pitch_hz: np.ndarray) -> np.ndarray:
    """A sawtooth between -1 and 1 with the given pitch at each sample."""
    return 2 * _cycles(pitch_hz) - 1


def _cycles(pitch_hz: np.ndarray) -> np.ndarray:
    # Double precision: float32 would detune after some thousand cycles.
    return (np.cumsum(pitch_hz, dtype=np.float64) / RATE_HZ % 1.0).astype(np.float32)


def tones(samples: int, pitches_hz: Sequence[float], gains: Sequence[float]) -> np.ndarray:
    """A sum of steady sines."""
    seconds = np.arange(samples, dtype=np.float32) / RATE_HZ
    total = np.zeros(samples, np.float32)
    for pitch, gain in zip(pitches_hz, gains, strict=True):
        total += np.float32(gain) * np.sin(np.float32(2 * np.pi * pitch) * seconds)
    return total


def voice(generator: np.random.Generator, samples: int) -> np.ndarray:
    """A voice without words: a glottal saw, a vocal tract, syllables and pauses."""
    pitch = np.float32(generator.uniform(90, 240)) * (0.85 + 0.3 * swell(generator, samples, 3.0))
    syllables = np.maximum(swell(generator, samples, generator.uniform(4, 7)) - 0.3, 0)
    formant = generator.uniform(350, 800)
    return 2 * syllables * filtered(saw(pitch), formant, 3.5 * formant, 4)


def somewhere(generator: np.random.Generator, samples: int, event: np.ndarray) -> np.ndarray:
    """Places an event once, at a random time at which at least a third of it is audible."""
    around = np.zeros(samples + 2 * len(event), np.float32)
    third = len(event) // 3
    start = generator.integers(third, samples + len(event) - third)
    around[start : start + len(event)] = event
    return around[len(event) : len(event) + samples]


def repeated(
    generator: np.random.Generator, samples: int, event: np.ndarray, rate_hz: float, jitter: float
) -> np.ndarray:
    """Repeats an event with random jitter and loudness.

    Args:
        generator: Random number generator for times and loudness.
        samples: Length of the result.
        event: Event to repeat, starting at its first sample.
        rate_hz: Repetitions per second.
        jitter: Standard deviation of the times, in periods.
    """
    count = int(samples / RATE_HZ * rate_hz) + 2
    periods = np.arange(count) + generator.uniform(-1, 0) + generator.normal(0, jitter, count)
    starts = (periods / rate_hz * RATE_HZ).astype(int)
    starts = starts[(starts >= 0) & (starts < samples)]
    strikes = np.zeros(samples, np.float32)
    strikes[starts] = generator.uniform(0.5, 1.0, len(starts))
    return convolved(strikes, event)
