import keras
import numpy as np
import pytest

from dcase_system.audio.log_mel import LogMel, LogMelSpec
from dcase_system.audio.store import Waveforms
from dcase_system.edge import forms, tflite
from dcase_system.edge.precision import cast_weights
from dcase_system.errors import InputError
from dcase_system.models import registry
from dcase_system.models.cp_mobile import sscp_mobile

SPEC = LogMelSpec(
    sample_rate=8_000, window_length=512, hop_length=200, fft_length=512, n_mels=32, max_hz=4_000.0
)


@pytest.fixture(scope="module")
def network():
    """A small SSCP-Mobile whose batch norms hold statistics as after training."""
    from dataclasses import replace

    keras.utils.set_random_seed(0)
    network = registry.build(replace(sscp_mobile(8), input_shape=(32, 41), classes=4))
    features = np.random.default_rng(0).normal(size=(64, 32, 41, 1)).astype(np.float32)
    for _ in range(30):
        network(features, training=True)
    return network


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(1).normal(size=(40, 32, 41, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def files(network, features, tmp_path_factory):
    folder = tmp_path_factory.mktemp("edge")
    tflite.export(network, folder, features)
    return folder


@pytest.mark.parametrize(("name", "tolerance"), [("float32", 1e-4), ("float16", 2e-2)])
def test_float_files_agree_with_keras(network, features, files, name, tolerance):
    np.testing.assert_allclose(
        tflite.TFLiteModel(files / tflite.file_name(name))(features),
        network(features),
        atol=tolerance,
    )


def test_int8_file_mostly_decides_as_keras(network, features, files):
    logits = tflite.TFLiteModel(files / "student_int8.tflite")(features)
    agreement = (logits.argmax(axis=1) == np.asarray(network(features)).argmax(axis=1)).mean()
    assert agreement >= 0.8  # random weights: classes lie closer together than after training


def test_int8_file_takes_and_gives_int8(files):
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(str(files / "student_int8.tflite"))
    assert interpreter.get_input_details()[0]["dtype"] == np.int8
    assert interpreter.get_output_details()[0]["dtype"] == np.int8


def test_files_have_batch_one_and_shrink_with_precision(files):
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(str(files / "student_float32.tflite"))
    assert interpreter.get_input_details()[0]["shape"].tolist() == [1, 32, 41, 1]
    assert (files / "student_float16.tflite").stat().st_size < (
        files / "student_float32.tflite"
    ).stat().st_size


def test_inputs_are_rounded_and_clipped_not_wrapped():
    details = {"dtype": np.int8, "quantization": (1.0, 0)}
    quantised = tflite._quantise(np.array([127.6, 130.0, -200.0, 0.6, -0.4]), details)
    np.testing.assert_array_equal(quantised, [127, 127, -128, 1, 0])


def test_missing_and_foreign_files_are_named(tmp_path):
    with pytest.raises(InputError, match="model file is missing"):
        tflite.TFLiteModel(tmp_path / "gone.tflite")
    (tmp_path / "text.tflite").write_text("hello")
    with pytest.raises(InputError, match=r"text\.tflite: model cannot be loaded"):
        tflite.TFLiteModel(tmp_path / "text.tflite")


def test_cast_weights_are_half_precision_numbers(network):
    cast = cast_weights(network, "float16")
    for weight, original in zip(cast.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, original.astype(np.float16).astype(np.float32))
    assert any(
        (a != b).any() for a, b in zip(cast.get_weights(), network.get_weights(), strict=True)
    )


def test_every_form_is_scored_on_the_same_features(network, tmp_path):
    generator = np.random.default_rng(2)
    samples = generator.normal(0, 3_000, (10, 8_000)).astype(np.int16)
    waveforms = Waveforms(samples, np.arange(10), "noise")
    features = np.asarray(LogMel(SPEC)(waveforms.gather(np.arange(10))))
    forms.export_all(network, features, ("a", "b", "c", "d"), tmp_path)
    assert (tmp_path / "labels.txt").read_text() == "a\nb\nc\nd\n"
    logits = forms.logits_of(
        forms.forms_of(network, tmp_path), LogMel(SPEC), waveforms, batch_size=4
    )
    assert list(logits) == [
        "keras_float32",
        "keras_float16",
        "tflite_float32",
        "tflite_float16",
        "tflite_int8",
    ]
    assert all(values.shape == (10, 4) for values in logits.values())
    np.testing.assert_allclose(logits["tflite_float32"], logits["keras_float32"], atol=1e-3)
