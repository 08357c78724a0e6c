"""Int8 files of trained float32 ones: the ranges and the biases that they get."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.edge import flatbuffer, post_training, tflite
from dcase_system.edge.quantisation import Observer, dequantise, narrowed, quantise


def files_of(network, inputs, formats, folder):
    tflite.save_model(network, folder, inputs.shape[1:], (1,))
    return tflite.converted(folder, inputs, formats)


@pytest.fixture(scope="module")
def inputs():
    generator = np.random.default_rng(0)
    return generator.normal(size=(60, 8, 8, 3)).astype(np.float32) + 0.5


@pytest.fixture(scope="module")
def float32(inputs, tmp_path_factory):
    """Of a network that adds a convolution to a much greater one."""
    keras.utils.set_random_seed(3)
    x = keras.Input((8, 8, 3))
    conv = keras.layers.Conv2D
    small = conv(6, 3, padding="same", name="small")(x)
    large = conv(6, 3, padding="same", bias_initializer="normal", name="large")(x)
    large = keras.layers.Rescaling(20.0)(large)
    y = keras.layers.ReLU()(keras.layers.Add(name="sum")([small, large]))
    y = keras.layers.GlobalAveragePooling2D()(conv(4, 1, bias_initializer="normal")(y))
    folder = tmp_path_factory.mktemp("float32")
    return files_of(keras.Model(x, y), inputs[:1], ("float32",), folder)["float32"]


def tensors(content, inputs):
    """Real values of what every operator gives, (inputs, ...), by the tensor's name."""
    graph = flatbuffer.parse(content).subgraphs[0]
    interpreter = tf.lite.Interpreter(model_content=content, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    details = {x["index"]: x for x in interpreter.get_tensor_details()}
    taken, found = interpreter.get_input_details()[0], {}
    for x in inputs:
        interpreter.set_tensor(taken["index"], quantise(x[None], taken))
        interpreter.invoke()
        for index in (int(operator.outputs[0]) for operator in graph.operators):
            values = dequantise(interpreter.get_tensor(index), details[index])
            found.setdefault(flatbuffer.tensor_name(graph.tensors[index]), []).append(values)
    return {name: np.concatenate(values) for name, values in found.items()}


def last(content):
    """Name of the output."""
    graph = flatbuffer.parse(content).subgraphs[0]
    return flatbuffer.tensor_name(graph.tensors[graph.outputs[0]])


def test_outliers_are_clipped_and_even_values_are_not():
    generator = np.random.default_rng(0)
    values = generator.normal(size=1_000_000)
    values[0] = 20.0
    low, high = narrowed(values, values.min(), 20.0)
    assert high < 10.0
    assert low < -3.5  # the other end stays
    assert narrowed(generator.uniform(0, 1, 100_000), 0.0, 1.0) == (0.0, 1.0)
    assert narrowed(np.zeros(10), 0.0, 0.0) == (0.0, 0.0)


def test_a_tensor_that_is_always_zero_gets_an_ordinary_range():
    """At a step of 1e-9 the interpreter could not load a file that adds it to anything."""
    observer = Observer(np.random.default_rng(0))
    observer.add(np.zeros((1, 4), np.float32))
    assert observer.range() == (0.0, 1.0)


def test_an_addend_has_its_own_range_and_not_that_of_the_sum(float32, inputs):
    int8 = post_training.quantised(float32, list(inputs[:, None]))
    model, seen = flatbuffer.parse(int8), tensors(float32, inputs)
    graph = model.subgraphs[0]
    (addition,) = (x for x in graph.operators if flatbuffer.operator_name(model, x) == "ADD")
    for index in addition.inputs:
        tensor = graph.tensors[index]
        width = np.ptp(seen[flatbuffer.tensor_name(tensor)])
        assert 0.3 * width <= 255 * tensor.quantization.scale[0] <= 1.02 * width


def test_moved_biases_bring_the_means_back(float32, inputs, monkeypatch):
    corrected = post_training.quantised(float32, list(inputs[:, None]))
    monkeypatch.setattr(post_training, "corrected", lambda int8, *_: int8)
    plain = post_training.quantised(float32, list(inputs[:, None]))
    expected = tensors(float32, inputs)[last(float32)].mean(axis=0)
    errors = [
        np.abs(tensors(content, inputs)[last(content)].mean(axis=0) - expected).max()
        for content in (corrected, plain)
    ]
    assert errors[0] < 0.5 * errors[1]
    assert flatbuffer.operators(flatbuffer.parse(corrected)) == flatbuffer.operators(
        flatbuffer.parse(plain)
    )


def test_layers_that_share_a_stored_bias_are_corrected_apart(inputs, tmp_path):
    """Biases of zeros are equal bytes, which the converter stores once."""
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 3))
    y = keras.layers.Conv2D(6, 3, activation="relu")(x)
    y = keras.layers.Conv2D(6, 3, activation="relu")(y)
    network = keras.Model(x, keras.layers.GlobalAveragePooling2D()(y))
    contents = files_of(network, inputs, ("float32", "int8"), tmp_path)
    model = flatbuffer.parse(contents["int8"])
    graph = model.subgraphs[0]
    biases = [
        bytes(bytearray(model.buffers[graph.tensors[operator.inputs[2]].buffer].data))
        for operator in graph.operators
        if flatbuffer.operator_name(model, operator) == "CONV_2D"
    ]
    assert len(biases) == 2 and biases[0] != biases[1] != bytes(24)
    found, expected = (tensors(contents[name], inputs) for name in ("int8", "float32"))
    name = last(contents["int8"])
    np.testing.assert_allclose(found[name], expected[name], atol=0.05)
