"""The front end in C against the Keras layer."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from dcase_system.audio.filters import DECIBELS
from dcase_system.audio.specs import KaldiMelSpec, PannsMelSpec, ScalogramSpec, YamnetMelSpec
from dcase_system.core.errors import InputError
from dcase_system.edge.device.front_end import front_end_of
from dcase_system.edge.quantisation import quantise
from dcase_system.models.signature import ModelSignature, Normalisation
from tests.edge.conftest import SPEC
from tests.edge.device.compiled import Compiled, needs_gcc

SAMPLES = 3_000
KALDI = KaldiMelSpec(
    sample_rate=8_000, window_length=512, hop_length=200, fft_length=1_024, n_mels=40, max_hz=4e3
)
PANNS = PannsMelSpec(
    sample_rate=8_000, window_length=256, hop_length=80, n_mels=24, min_hz=50.0, max_hz=3_500.0
)
NORMALISED = Normalisation(
    tuple((0.1 * band - 5.0,) for band in range(32)), tuple((1 + band,) for band in range(32))
)
SIGNATURES = {
    "log_mel": ModelSignature(("a", "b"), SPEC, SAMPLES),
    "longer FFT, normalised": ModelSignature(
        ("a", "b"), replace(SPEC, fft_length=2_048), SAMPLES, normalisation=NORMALISED
    ),
    "kaldi_mel": ModelSignature(("a", "b"), KALDI, SAMPLES),
    "panns_mel": ModelSignature(("a", "b"), PANNS, SAMPLES),
    "clip shorter than a window": ModelSignature(("a", "b"), SPEC, 300),
}


def noises(samples: int) -> np.ndarray:
    """Noise of two colours at levels from the lowest bit to full scale."""
    white = np.random.default_rng(3).normal(0, 1, (8, samples))
    coloured = np.where(np.arange(8)[:, None] % 2, white, 0.3 * white.cumsum(axis=1))
    levels = 2.0 ** np.arange(0, 16, 2)[:, None]
    return np.clip(levels * coloured, -(2**15), 2**15 - 1).astype(np.int16)


def extremes(samples: int) -> np.ndarray:
    """Silence, the lowest constant, a full-scale square wave, tone and click."""
    time = np.arange(samples)
    tone = 32_767 * np.sin(0.3 * time)
    square, click = np.where(tone > 0, 32_767, -32_768), 32_767 * (time == samples // 2)
    return np.stack([0 * time, 0 * time - 32_768, square, tone, click]).astype(np.int16)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Compiles the front end of a signature, once; the input's range is that of the clips above."""

    @cache
    def compiled(name: str, *flags: str) -> Compiled:
        signature = SIGNATURES[name]
        clips = np.concatenate([noises(signature.samples), extremes(signature.samples)])
        features = wanted(signature, clips)
        scale = float(np.ptp(features)) / 255
        zero_point = round(-128 - features.min() / scale)
        folder = tmp_path_factory.mktemp("front_end")
        return Compiled(signature, folder, *flags, scale=scale, zero_point=zero_point)

    return compiled


def wanted(signature: ModelSignature, clips: np.ndarray) -> np.ndarray:
    """Features of the Keras layer (clips, bands, columns)."""
    return np.asarray(signature.features((clips / 2**15).astype(np.float32)))[..., 0]


def exactly(signature: ModelSignature, clips: np.ndarray) -> np.ndarray:
    """Features (clips, bands, columns) by their definition, in float64."""
    taken, samples = front_end_of(signature), clips / 2**15
    if taken.pre_emphasis is not None:
        samples = samples[:, 1:] - taken.pre_emphasis * samples[:, :-1]
    half = len(taken.window) // 2
    padded = np.pad(samples, ((0, 0), (half, half)), mode="reflect")
    frames = sliding_window_view(padded, 2 * half, axis=1)[:, :: taken.hop_length]
    power = np.abs(np.fft.rfft(frames * taken.window.astype(float), taken.fft_length)) ** 2
    mel = np.maximum(power @ taken.bank.astype(float) + taken.log_offset, taken.smallest_power)
    features = (np.log(mel) * taken.log_factor - taken.mean) / taken.scale
    return features.transpose(0, 2, 1)


@needs_gcc
@pytest.mark.parametrize("name", SIGNATURES)
def test_float_features_are_those_of_the_layer(name, program):
    signature = SIGNATURES[name]
    clips = np.concatenate([noises(signature.samples), extremes(signature.samples)])
    unit = DECIBELS if name == "panns_mel" else 1.0  # features per unit of the logarithm
    ours, layer, exact = (
        features / unit
        for features in (
            program(name, "-DFRONT_END_FLOAT").features(clips, 200),
            wanted(signature, clips),
            exactly(signature, clips),
        )
    )
    assert np.abs(ours - layer)[1:8:2].max() < 1e-4  # white noise at four levels
    # Where a loud sound hides a quiet band, rounding to float32 changes the band, in the layer too.
    rounding = np.abs(layer - exact).max(axis=(1, 2))
    assert (np.abs(ours - exact).max(axis=(1, 2)) < 5 * rounding + 1e-5).all()


@needs_gcc
@pytest.mark.parametrize("name", SIGNATURES)
def test_integer_features_are_within_a_step_of_the_quantised_layer(name, program):
    signature = SIGNATURES[name]
    clips = np.concatenate([noises(signature.samples), extremes(signature.samples)])
    compiled = program(name)
    details = {"quantization": (compiled.scale, compiled.zero_point), "dtype": np.int8}
    reference = quantise(wanted(signature, clips), details).astype(int)
    steps = np.abs(compiled.features(clips, 200) - reference)
    assert steps.max() <= 1 and np.mean(steps == 0) > 0.99
    assert np.ptp(reference) > 200


@needs_gcc
@pytest.mark.parametrize("flags", [(), ("-DFRONT_END_FLOAT",)], ids=["integer", "float"])
@pytest.mark.parametrize("name", ["log_mel", "kaldi_mel"])
def test_a_stream_gives_the_features_of_the_whole_clip(name, flags, program):
    compiled, clips = program(name, *flags), noises(SAMPLES)
    whole = compiled.features(clips, SAMPLES)
    for block in (1, 200, 333):
        np.testing.assert_array_equal(compiled.features(clips, block), whole)


@needs_gcc
def test_features_outside_the_input_s_range_are_clipped(tmp_path):
    signature = SIGNATURES["log_mel"]
    low = Compiled(signature, tmp_path, scale=0.01, zero_point=0).features(extremes(SAMPLES), 200)
    assert low[0].max() == low[0].min() == -128  # ln(1e-5) / 0.01 is below all steps
    assert low[2].max() == 127


@needs_gcc
@pytest.mark.parametrize("flags", [(), ("-DFRONT_END_FLOAT",)], ids=["integer", "float"])
def test_another_fft_may_take_the_place_of_ours(flags, program):
    """Its definition, in the documented order and scale."""
    clips = noises(SAMPLES)[:2]
    ours = program("log_mel", *flags).features(clips, 200)
    other = program("log_mel", "-DFRONT_END_OWN_FFT", *flags).features(clips, 200)
    assert np.abs(other.astype(float) - ours).max() <= (1e-4 if flags else 1)


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        (
            ModelSignature(("a", "b"), YamnetMelSpec(), 32_000),
            "no such front end.*expected log_mel, kaldi_mel or panns_mel; received yamnet_mel",
        ),
        (
            ModelSignature(("a", "b"), ScalogramSpec(), 480_000, channels=2),
            "no such front end in C.*received scalogram",
        ),
        (
            ModelSignature(("a", "b"), SPEC, SAMPLES, channels=2),
            "takes one channel; expected 1; received 2",
        ),
        (
            ModelSignature(("a", "b"), replace(SPEC, fft_length=600), SAMPLES),
            "power of two; expected 8 to 32,768 points; received 600",
        ),
        (
            ModelSignature(("a", "b"), replace(SPEC, window_length=511), SAMPLES),
            "an even number of samples, at most the FFT's 512; received 511",
        ),
        (
            ModelSignature(("a", "b"), SPEC, 256),
            "too short to be reflected.*more than half a window of 512 samples; received 256",
        ),
        (
            ModelSignature(("a", "b"), replace(SPEC, log_offset=0.0), SAMPLES),
            "silence has no logarithm; expected a positive offset",
        ),
    ],
)
def test_what_the_c_front_end_cannot_compute_is_rejected(signature, message):
    with pytest.raises(InputError, match=message):
        front_end_of(signature)
