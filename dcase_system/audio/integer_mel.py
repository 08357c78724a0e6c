"""The integer log-mel front end of BioDCASE-Tiny 2026, bit for bit, in NumPy.

A microcontroller computes it on 16-bit samples: Hann window, block scaling, a fixed-point FFT, mel
bands of the energy, square root, logarithm. All steps are those that the contest's published code
takes (github.com/birdnet-team/BioDCASE-Tiny-2026, after TensorFlow Lite Micro's signal library and
ESP-DSP's FFT); this code is written from their description. See the README for why it is not a
Keras layer.
"""

from dataclasses import dataclass

import numpy as np

from dcase_system.core.errors import InputError

_FULL_SCALE = 32_767
_WEIGHT_BITS = 12  # of the mel filters
_LOG_BITS = 16  # fraction of the logarithm to base 2
_SEGMENT_BITS = 7  # the logarithm's curve is a table of 2**7 segments
_LN_2 = round(np.log(2.0) * (1 << _LOG_BITS))
_FRAMES_AT_ONCE = 32  # whose FFT stays in a processor's cache


@dataclass(frozen=True)
class IntegerMelSpec:
    """Constants of the front end; the defaults are the contest's.

    Attributes:
        sample_rate: Sample rate in Hz.
        window_length: Samples of the Hann window, a power of two; the points of the FFT, too.
        hop_length: Samples between frames.
        window_bits: Bits of the window's values.
        n_mels: Number of mel bands.
        min_hz: Lower edge of the first band.
        max_hz: Upper edge of the last band.
        log_bits: The logarithm is given in steps of 2**-log_bits.
    """

    sample_rate: int = 24_000
    window_length: int = 4_096
    hop_length: int = 512
    window_bits: int = 12
    n_mels: int = 40
    min_hz: float = 125.0
    max_hz: float = 7_500.0
    log_bits: int = 6

    def frames(self, samples: int) -> int:
        """Number of whole windows in a clip."""
        return (samples - self.window_length) // self.hop_length + 1


class IntegerMel:
    """Computes log-mel features of 16-bit clips in integer arithmetic.

    Args:
        spec: Constants of the front end.

    Raises:
        InputError: The window's length is not a power of two, or a band has no frequency.
    """

    def __init__(self, spec: IntegerMelSpec | None = None):
        self.spec = spec or IntegerMelSpec()
        length = self.spec.window_length
        if length < 4 or length & (length - 1):
            raise InputError(
                "window is not a power of two", where="integer mel", expected=2, received=length
            )
        window = np.hanning(length) * (1 << self.spec.window_bits)
        self._window = np.round(window).astype(np.int32)
        angles = np.arange(length) * (np.pi / length)
        # (length,) int32, truncated towards zero as a C cast does.
        self._cos, self._sin = (
            (_FULL_SCALE * wave(angles)).astype(np.int32) for wave in (np.cos, np.sin)
        )
        self._order = bit_reversed(length)
        self._filters = MelFilters(self.spec)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Computes features: int16 (samples,) to uint16 (mels, frames).

        Raises:
            InputError: The clip is not 16-bit, not mono, or shorter than a window.
        """
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise InputError(
                "clip does not fit",
                where="integer mel",
                expected="int16 samples of one channel",
                received=f"{samples.dtype} {samples.shape}",
            )
        spec = self.spec
        if len(samples) < spec.window_length:
            raise InputError(
                "clip is shorter than a window",
                where="integer mel",
                expected=f"at least {spec.window_length:,} samples",
                received=len(samples),
            )
        windows = np.lib.stride_tricks.sliding_window_view(samples, spec.window_length)
        frames = windows[:: spec.hop_length]
        starts = range(0, len(frames), _FRAMES_AT_ONCE)
        bands = [self._bands(frames[start : start + _FRAMES_AT_ONCE]) for start in starts]
        return scaled_log(np.concatenate(bands), spec.log_bits).T.astype(np.uint16)

    def _bands(self, frames: np.ndarray) -> np.ndarray:
        """Amplitudes of the mel bands: int16 (frames, samples) to int64 (frames, mels)."""
        windowed = (frames * self._window) >> self.spec.window_bits
        scaled, bits = block_scaled(windowed.astype(np.int16))
        real, imaginary = self._spectrum(*self._fft(scaled))
        energy = real.astype(np.int64) ** 2 + imaginary.astype(np.int64) ** 2  # (bins, frames)
        return rounded_root(self._filters(energy)).T >> bits[:, None]

    def _fft(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Radix-2 FFT of int16 (frames, samples), each stage halved.

        Returns real and imaginary parts, int32 (points, frames), the points in bit-reversed order.
        """
        count, length = frames.shape
        # Frames are the last axis, so that even the last stage computes on long runs of memory.
        real = np.ascontiguousarray(frames.T, np.int32)
        imaginary = np.zeros((length, count), np.int32)
        blocks = 1
        while blocks < length:
            shape = (blocks, 2, length // (2 * blocks), count)
            turns = self._order[:blocks, None, None]
            cos, sin = self._cos[turns], self._sin[turns]
            re, im = real.reshape(shape), imaginary.reshape(shape)
            # No sum leaves 32 bits: the modulus of a value stays within 16, and so does its turn.
            base_re = re[:, 0] * _FULL_SCALE + _FULL_SCALE
            base_im = im[:, 0] * _FULL_SCALE + _FULL_SCALE
            turned_re = cos * re[:, 1] + sin * im[:, 1]
            turned_im = cos * im[:, 1] - sin * re[:, 1]
            re[:, 0], re[:, 1] = (base_re + turned_re) >> 16, (base_re - turned_re) >> 16
            im[:, 0], im[:, 1] = (base_im + turned_im) >> 16, (base_im - turned_im) >> 16
            blocks *= 2
        return real, imaginary

    def _spectrum(self, real: np.ndarray, imaginary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bins of the mel bands as the contest takes them: int16 parts (bins, frames).

        It treats the FFT of N real samples as one of 2 N samples packed in pairs, and unpacks it.
        """
        bins = self._filters.bins
        re, im, far_re, far_im = (
            part[self._order[points]].astype(np.int64)
            for points in (bins, len(self._order) - bins)
            for part in (real, imaginary)
        )
        cos, sin = (wave[bins, None].astype(np.int64) for wave in (self._cos, self._sin))
        odd_re, odd_im = re - far_re, im + far_im
        turned_re = (cos * odd_im - sin * odd_re) >> 15
        turned_im = (cos * odd_re + sin * odd_im) >> 15
        unpacked = (re + far_re + turned_re) >> 2, (im - far_im - turned_im) >> 2
        return unpacked[0].astype(np.int16), unpacked[1].astype(np.int16)


class MelFilters:
    """Triangular filters in 12 bits, linear in mel = 1127 ln(1 + f / 700).

    A bin lies between two centres: it adds to the band that falls there and to the one that rises.
    Single precision decides the last bit of a weight.

    Args:
        spec: Constants of the front end.

    Attributes:
        bins: Bins of the FFT that belong to a band.

    Raises:
        InputError: A band has no frequency, or the bands end above the spectrum.
    """

    def __init__(self, spec: IntegerMelSpec):
        length = spec.window_length // 2
        hz_per_bin = spec.sample_rate / 2 / (length - 1)
        low, high = _mel(np.array([spec.min_hz, spec.max_hz]))
        step = (high - low) / np.float32(spec.n_mels + 1)
        edges = low + step * np.arange(spec.n_mels + 2, dtype=np.float32)
        bins = np.arange(round(1 + spec.min_hz / hz_per_bin), length)
        mels = _mel(bins * hz_per_bin)
        interval = np.searchsorted(edges[1:], mels)  # edges[i] < mel <= edges[i + 1]
        used = interval <= spec.n_mels
        if used.all() or len(set(interval[used])) != spec.n_mels + 1:
            raise InputError(
                "a mel band has no frequency, or ends above the spectrum",
                where="integer mel",
                expected="fewer bands, a longer window or a lower max_hz",
                received=spec,
            )
        mels, interval = mels[used], interval[used]
        share = (edges[interval + 1] - mels) / (edges[interval + 1] - edges[interval])
        scale = np.float32(1 << _WEIGHT_BITS)
        self.bins = bins[used]
        self._falling = (share * scale).astype(np.int64)[:, None]
        self._rising = ((1 - share) * scale).astype(np.int64)[:, None]
        self._starts = np.searchsorted(interval, np.arange(spec.n_mels + 1))

    def __call__(self, energy: np.ndarray) -> np.ndarray:
        """Sums the energy of each band: int64 (bins, frames) to (mels, frames)."""
        rising, falling = (
            np.add.reduceat(energy * weights, self._starts, axis=0)
            for weights in (self._rising, self._falling)
        )  # (mels + 1, frames) each: band b rises in interval b and falls in interval b + 1
        return rising[:-1] + falling[1:]


def peak_scaled(samples: np.ndarray) -> np.ndarray:
    """Scales a clip (samples,) to its peak, in 16 bits, as the contest's evaluation does.

    Silence stays silence, where the contest's code divides by zero.
    """
    values = samples.astype(np.float64)
    peak = np.abs(values).max(initial=0.0)
    return (values / (peak or 1.0) * _FULL_SCALE).astype(np.int16)


def unit_range(features: np.ndarray) -> np.ndarray:
    """Shifts and scales a clip's features (mels, frames) to [0, 1]: float32.

    Constant features (silence) become 0, where the contest's code divides by zero.
    """
    values = features.astype(np.float32)
    return (values - values.min()) / (np.ptp(values) or np.float32(1))


def _mel(hz: np.ndarray) -> np.ndarray:
    single = hz.astype(np.float32) / np.float32(700.0)
    return np.float32(1127.0) * np.log1p(single)


def block_scaled(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shifts each int16 frame left by as many bits as its peak allows; returns frames and bits.

    -32768 has no 16-bit magnitude and does not count as a peak, as in the contest's code.
    """
    peaks = np.abs(frames).max(axis=1)
    bits = 15 - np.frexp(peaks.astype(np.float64))[1]
    return (frames.astype(np.int32) << bits[:, None]).astype(np.int16), bits


def rounded_root(values: np.ndarray) -> np.ndarray:
    """Square root of int64 values from 0 to 2**52, rounded to the nearest integer."""
    root = np.sqrt(values.astype(np.float64)).astype(np.int64)
    root -= root * root > values
    return root + (values - root * root > root)


def scaled_log(values: np.ndarray, bits: int) -> np.ndarray:
    """Natural logarithm of int64 values in steps of 2**-bits, from a table; 0 gives 0."""
    values = np.maximum(values, 1)
    whole = np.frexp(values.astype(np.float64))[1].astype(np.int64) - 1
    rest = values - (1 << whole)
    fraction = np.where(
        whole < _LOG_BITS,
        rest << np.maximum(_LOG_BITS - whole, 0),
        rest >> np.maximum(whole - _LOG_BITS, 0),
    )
    segment_bits = _LOG_BITS - _SEGMENT_BITS
    segment = fraction >> segment_bits
    begin, end = _LOG_CURVE[segment], _LOG_CURVE[segment + 1]
    bend = begin + (((end - begin) * (fraction - (segment << segment_bits))) >> _LOG_BITS)
    half = 1 << (_LOG_BITS - 1)
    natural = (_LN_2 * ((whole << _LOG_BITS) + fraction + bend) + half) >> _LOG_BITS
    return ((natural << bits) + half) >> _LOG_BITS


def _log_curve() -> np.ndarray:
    """log2(1 + x) - x at the ends of the segments."""
    x = np.arange((1 << _SEGMENT_BITS) + 1) / (1 << _SEGMENT_BITS)
    return np.round((np.log2(1 + x) - x) * (1 << _LOG_BITS)).astype(np.int64)


_LOG_CURVE = _log_curve()


def bit_reversed(length: int) -> np.ndarray:
    """Numbers below a power of two, with their bits in reverse order."""
    order = np.zeros(1, np.int64)
    while len(order) < length:
        order = np.concatenate([2 * order, 2 * order + 1])
    return order
