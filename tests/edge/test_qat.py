"""Networks in tf_keras with the roundings of their int8 file, and training them."""

import keras
import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.edge import flatbuffer, qat
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models import cp_mobile, registry


@pytest.fixture(scope="module")
def features(signature, waveforms):
    return np.asarray(signature.features(waveforms.gather(np.arange(len(waveforms)))))


@pytest.fixture(scope="module")
def model(network, features):
    return qat.quantised_model(network, features)


@pytest.fixture(scope="module")
def content(model):
    return qat.converted(model)


def logits_of(content, features, tmp_path):
    (tmp_path / "file.tflite").write_bytes(content)
    return TFLiteModel(tmp_path / "file.tflite")(features)


def test_the_file_says_what_the_trained_network_says(
    model, content, network, features, logits, tmp_path
):
    found, said = logits_of(content, features, tmp_path), np.asarray(model(features))
    reference = logits["keras_float32"]
    spread = reference.std()
    assert np.abs(found - said).mean() < 0.05 * spread
    assert (found.argmax(axis=1) == said.argmax(axis=1)).mean() >= 0.9
    # Before any training it is as near to the network as the file quantised after training.
    errors = [np.square(x - reference).mean() for x in (found, logits["tflite_int8"])]
    assert errors[0] < 2 * errors[1]


def test_the_file_has_the_operators_and_scales_of_one_quantised_after_training(content, exported):
    after = flatbuffer.parse((exported / "student_int8.tflite").read_bytes())
    qat = flatbuffer.parse(content)
    assert flatbuffer.operators(qat) == flatbuffer.operators(after)

    def kernels(model):
        tensors = model.subgraphs[0].tensors
        return sorted(
            len(tensors[operator.inputs[1]].quantization.scale)
            for operator in model.subgraphs[0].operators
            if "CONV" in flatbuffer.operator_name(model, operator)
        )

    assert kernels(qat) == kernels(after)
    for index in (*qat.subgraphs[0].inputs, *qat.subgraphs[0].outputs):
        assert qat.subgraphs[0].tensors[index].type == flatbuffer.schema.TensorType.INT8


def test_training_repairs_a_rounded_network_within_its_ranges(tmp_path):
    import tf_keras

    keras.utils.set_random_seed(0)
    inputs, generator = keras.Input((8, 8, 2)), np.random.default_rng(0)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(keras.layers.Conv2D(8, 3)(inputs)))
    x = keras.layers.DepthwiseConv2D(3, activation="relu", name="depthwise")(x)
    network = keras.Model(inputs, keras.layers.Conv2D(4, 4)(x))
    features = generator.normal(size=(64, 8, 8, 2)).astype(np.float32)
    model, targets = qat.quantised_model(network, features), np.asarray(network(features))
    rounding = model.get_layer("depthwise").get_config()
    for weight in model.trainable_variables:
        weight.assign(weight * generator.uniform(0.9, 1.1, weight.shape))

    def error(logits):
        return np.square(np.asarray(logits) - targets).mean()

    before = error(model(features))
    model.compile(tf_keras.optimizers.Adam(1e-3), "mse")
    model.fit(features, targets, batch_size=16, epochs=10, verbose=0)
    assert error(model(features)) < 0.2 * before
    assert model.get_layer("depthwise").get_config() == rounding
    assert error(logits_of(qat.converted(model), features, tmp_path)) < 0.2 * before


def test_a_layer_that_cannot_be_quantised_is_named():
    inputs = keras.Input((8, 8, 2))
    x = keras.layers.BatchNormalization(name="first")(inputs)
    network = keras.Model(inputs, keras.layers.Conv2D(2, 1)(x))
    with pytest.raises(InputError, match=r"layer first: layer cannot be quantised; expected Conv2"):
        qat.quantised_model(network, np.zeros((2, 8, 8, 2), np.float32))
    unknown = registry.build_fixed(cp_mobile.cp_mobile_2023())
    with pytest.raises(InputError, match=r"response_norm: layer has no counterpart in tf_keras"):
        qat.quantised_model(unknown, np.zeros((2, 256, 64, 1), np.float32))
