"""The log-mel layer against a double-precision NumPy reference of the published formula."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.audio.decode import read_audio
from dcase_system.audio.filters import htk_mel_bank
from dcase_system.audio.log_mel import LogMel
from dcase_system.audio.specs import LogMelSpec


def reference_log_mel(waveform: np.ndarray, spec: LogMelSpec) -> np.ndarray:
    """Frame by frame, as torchaudio documents MelSpectrogram: (mels, frames), float64."""
    half = spec.fft_length // 2
    padded = np.pad(waveform.astype(np.float64), half, mode="reflect")
    n = np.arange(spec.window_length)
    window = np.zeros(spec.fft_length)
    offset = (spec.fft_length - spec.window_length) // 2
    window[offset : offset + spec.window_length] = 0.5 - 0.5 * np.cos(
        2 * np.pi * n / spec.window_length
    )
    columns = []
    for start in range(0, len(waveform) + 1, spec.hop_length):
        spectrum = np.fft.rfft(padded[start : start + spec.fft_length] * window)
        columns.append(np.abs(spectrum) ** 2 @ reference_bank(spec))
    return np.log(np.stack(columns, axis=1) + spec.log_offset)


@functools.cache
def reference_bank(spec: LogMelSpec) -> np.ndarray:
    """HTK triangles, one filter and one bin at a time."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (spec.min_hz, spec.max_hz))
    edges = [700 * (10 ** (mel / 2595) - 1) for mel in np.linspace(low, high, spec.n_mels + 2)]
    bank = np.zeros((spec.fft_length // 2 + 1, spec.n_mels))
    for k in range(bank.shape[0]):
        hz = k * spec.sample_rate / spec.fft_length
        for m in range(spec.n_mels):
            left, centre, right = edges[m : m + 3]
            bank[k, m] = max(
                0.0, min((hz - left) / (centre - left), (right - hz) / (right - centre))
            )
    return bank


SMALL = LogMelSpec(
    sample_rate=8_000, window_length=256, hop_length=100, fft_length=512, n_mels=40, max_hz=4_000.0
)


@pytest.mark.parametrize("spec", [LogMelSpec(), SMALL], ids=["baseline", "small"])
@pytest.mark.parametrize(
    ("kind", "tolerance"),
    # Beside a loud pure tone single precision cannot resolve bins at the floor of 1e-5 any better:
    # the rounding of the FFT, about 1e-7 of the tone, is all there is in them.
    [("noise", 1e-3), ("silence", 1e-3), ("loud and quiet", 1e-3), ("tone", 3e-3)],
)
def test_log_mel_agrees_with_the_published_formula(spec, kind, tolerance):
    n = spec.sample_rate
    time = np.arange(n) / n
    waveform = {
        "noise": np.random.default_rng(0).normal(0, 0.1, n),
        "tone": 0.5 * np.sin(2 * np.pi * 440 * time),
        "silence": np.zeros(n),
        "loud and quiet": np.random.default_rng(1).normal(0, 1, n)
        * np.where(time < 0.5, 0.3, 1e-4),
    }[kind].astype(np.float32)
    computed = LogMel(spec)(waveform[None]).numpy()
    assert computed.shape == (1, spec.n_mels, spec.frames(n), 1)
    np.testing.assert_allclose(
        computed[0, ..., 0], reference_log_mel(waveform, spec), atol=tolerance, rtol=0
    )


@pytest.mark.shared
def test_log_mel_agrees_with_the_published_formula_on_real_clips(shared):
    for path in sorted((shared / "scenes10" / "audio").iterdir())[::150]:
        waveform = read_audio(path)[0][:, 0]
        computed = LogMel()(waveform[None]).numpy()[0, ..., 0]
        np.testing.assert_allclose(
            computed, reference_log_mel(waveform, LogMelSpec()), atol=1e-3, rtol=0
        )


def test_one_second_gives_the_baselines_256_by_65():
    assert LogMelSpec().frames(32_000) == 65
    assert LogMel().compute_output_shape((None, 32_000)) == (None, 256, 65, 1)


def test_bank_is_the_reference_bank():
    np.testing.assert_allclose(htk_mel_bank(SMALL), reference_bank(SMALL), atol=1e-12)


def test_eager_and_inside_tf_data_agree():
    waveforms = np.random.default_rng(0).normal(0, 0.1, (4, 8_000)).astype(np.float32)
    layer = LogMel(SMALL)
    mapped = next(iter(tf.data.Dataset.from_tensors(waveforms).map(layer)))
    np.testing.assert_allclose(mapped, layer(waveforms), atol=1e-4)


def test_a_clip_does_not_depend_on_its_batch():
    quiet, loud = np.random.default_rng(0).normal(0, 1, (2, 8_000)).astype(np.float32) * [
        [1e-3],
        [1.0],
    ]
    layer = LogMel(SMALL)
    alone = layer(quiet[None].astype(np.float32)).numpy()
    together = layer(np.stack([quiet, loud]).astype(np.float32)).numpy()[:1]
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_layer_has_nothing_to_train_and_survives_saving(tmp_path):
    inputs = keras.Input((8_000,))
    model = keras.Model(inputs, LogMel(SMALL)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert model.count_params() == 0
    assert loaded.layers[-1].spec == SMALL
