"""The integer front end: against a slow reference, and pinned bit for bit.

The reference takes one window, one number at a time, in Python's integers. On noise, tones, clicks
and full-scale signals, and on the recordings of the contest's repository, the contest's own code
gave the same features as this package (by hand).
"""

import math
import zlib

import numpy as np
import pytest

from dcase_system.audio.integer_mel import IntegerMel, IntegerMelSpec, peak_scaled, unit_range
from dcase_system.core.errors import InputError

SAMPLES = 72_000
TIME = np.arange(SAMPLES) / 24_000


def noise(level, seed=0, samples=SAMPLES):
    values = np.random.default_rng(seed).integers(-level, level + 1, samples)
    return values.astype(np.int16)


SIGNALS = {
    "noise": noise(9_000),
    "quiet noise": noise(3),
    "tone": np.round(32_767 * np.sin(2 * np.pi * 1_000 * TIME)).astype(np.int16),
    "full scale": np.where(np.sin(2 * np.pi * 700 * TIME) < 0, -32_768, 32_767).astype(np.int16),
    "click": np.where(np.arange(SAMPLES) % 3_000, noise(3), -32_768).astype(np.int16),
    "silence": np.zeros(SAMPLES, np.int16),
}
# CRC-32 of the features, little-endian.
CHECKSUMS = {
    "noise": 1_364_457_083,
    "quiet noise": 3_817_994_684,
    "tone": 2_682_933_730,
    "full scale": 2_080_021_288,
    "click": 831_887_357,
    "silence": 1_399_749_785,
}


@pytest.fixture(scope="module")
def front_end():
    return IntegerMel()


def butterfly(a, b, turn):
    """Half of a + b and of a - b, where b is turned first; complex numbers as pairs."""
    turned = (turn[0] * b[0] + turn[1] * b[1], turn[0] * b[1] - turn[1] * b[0])
    base = [32_767 * part + 32_767 for part in a]
    return (
        tuple((x + y) >> 16 for x, y in zip(base, turned, strict=True)),
        tuple((x - y) >> 16 for x, y in zip(base, turned, strict=True)),
    )


def spectrum(samples):
    """The fixed-point FFT of a window, depth first, unpacked like one of twice as many samples."""
    length = len(samples)
    turns = [
        (int(32_767 * math.cos(math.pi * i / length)), int(32_767 * math.sin(math.pi * i / length)))
        for i in range(length)
    ]

    def transform(values, at):
        """Values in the order of the spectrum; `at` is the turn, in steps of pi / length."""
        if len(values) == 1:
            return values
        half = len(values) // 2
        pairs = [butterfly(values[i], values[i + half], turns[at]) for i in range(half)]
        first = transform([sum_ for sum_, _ in pairs], at // 2)
        second = transform([rest for _, rest in pairs], at // 2 + length // 2)
        return [value for pair in zip(first, second, strict=True) for value in pair]

    values = transform([(int(one), 0) for one in samples], 0)
    unpacked = [(0, 0)]
    for k in range(1, length // 2):
        (re, im), (far_re, far_im), (cos, sin) = values[k], values[length - k], turns[k]
        odd_re, odd_im = re - far_re, im + far_im
        turned = (cos * odd_im - sin * odd_re) >> 15, (cos * odd_re + sin * odd_im) >> 15
        unpacked.append(((re + far_re + turned[0]) >> 2, (im - far_im - turned[1]) >> 2))
    return unpacked


def mel(hz):
    return np.float32(1_127) * np.log1p(np.float32(hz) / np.float32(700))


def bands(energy, spec):
    """Sums of the triangles, from each band's own three edges."""
    low, high = mel(spec.min_hz), mel(spec.max_hz)
    step = (high - low) / np.float32(spec.n_mels + 1)
    edges = [low + step * np.float32(i) for i in range(spec.n_mels + 2)]
    hz_per_bin = spec.sample_rate / 2 / (spec.window_length // 2 - 1)
    first = round(1 + spec.min_hz / hz_per_bin)
    sums = []
    for left, centre, right in zip(edges, edges[1:], edges[2:], strict=False):
        total = 0
        for k in range(first, len(energy)):
            at = mel(k * hz_per_bin)
            if (left < at or left == low) and at <= centre:
                total += int((1 - (centre - at) / (centre - left)) * 4_096) * energy[k]
            elif centre < at <= right:
                total += int((right - at) / (right - centre) * 4_096) * energy[k]
        sums.append(total)
    return sums


def log_64(value):
    """64 ln(value): the curve of the logarithm to base 2 between powers of two is a table."""
    if value == 0:
        return 0
    curve = [round((math.log2(1 + i / 128) - i / 128) * 65_536) for i in range(129)]
    whole = value.bit_length() - 1
    fraction = ((value << 16) >> whole) - 65_536
    segment, rest = divmod(fraction, 512)
    bend = curve[segment] + (((curve[segment + 1] - curve[segment]) * rest) >> 16)
    natural = (45_426 * ((whole << 16) + fraction + bend) + 32_768) >> 16
    return (64 * natural + 32_768) >> 16


def reference(samples, spec):
    """Features of one window."""
    steps = [2 * math.pi * i / (len(samples) - 1) for i in range(len(samples))]
    hann = [round(4_096 * (0.5 - 0.5 * math.cos(step))) for step in steps]
    windowed = [(int(one) * weight) >> 12 for one, weight in zip(samples, hann, strict=True)]
    peak = max(abs(one) for one in windowed)
    shift = 15 - peak.bit_length()
    energy = [re * re + im * im for re, im in spectrum([one << shift for one in windowed])]
    roots = []
    for power in bands(energy, spec):
        root = math.isqrt(power)
        roots.append(root + (power - root * root > root))
    return [log_64(root >> shift) for root in roots]


@pytest.mark.parametrize("name", ["noise", "quiet noise", "tone"])
def test_a_window_is_that_of_the_reference(name):
    spec = IntegerMelSpec(window_length=1_024)  # a quarter of the contest's: the reference is slow
    window = SIGNALS[name][10_000:11_024]
    assert IntegerMel(spec)(window)[:, 0].tolist() == reference(window, spec)


def test_features_are_pinned_bit_for_bit(front_end):
    found = {name: front_end(signal) for name, signal in SIGNALS.items()}
    assert {one.shape for one in found.values()} == {(40, 133)}
    sums = {name: zlib.crc32(one.astype("<u2").tobytes()) for name, one in found.items()}
    assert sums == CHECKSUMS


def test_a_frame_depends_on_its_own_window_alone(front_end):
    signal = SIGNALS["noise"]
    frames = front_end(signal)
    assert (frames[:, 40:41] == front_end(signal[40 * 512 : 40 * 512 + 4_096])).all()


def test_clips_are_scaled_to_their_peak_and_features_to_unit_range():
    assert peak_scaled(np.array([0, 1_000, -500], np.int16)).tolist() == [0, 32_767, -16_383]
    assert peak_scaled(np.array([0.0, 0.25, -0.5])).tolist() == [0, 16_383, -32_767]
    assert not peak_scaled(np.zeros(3)).any()
    features = unit_range(np.array([[3, 5], [7, 4]], np.uint16))
    assert features.dtype == np.float32
    assert features.tolist() == [[0.0, 0.5], [1.0, 0.25]]
    assert not unit_range(np.full((2, 2), 7, np.uint16)).any()


def test_what_does_not_fit_is_rejected(front_end):
    for clip in (np.zeros(72_000), np.zeros((72_000, 2), np.int16), np.zeros(4_095, np.int16)):
        with pytest.raises(InputError, match="integer mel: clip"):
            front_end(clip)
    for spec in (
        IntegerMelSpec(window_length=3_000),
        IntegerMelSpec(window_length=256),
        IntegerMelSpec(max_hz=12_000),
    ):
        with pytest.raises(InputError, match="integer mel: "):
            IntegerMel(spec)
