import json

import numpy as np
import pytest

from dcase_system.edge import flatbuffer, tflite
from dcase_system.edge.pooling import with_convolved_pooling


@pytest.fixture(scope="module")
def features(signature, waveforms):
    return np.asarray(signature.features(waveforms.gather(np.arange(20))))


@pytest.fixture(scope="module")
def as_converted(features, exported):
    """The int8 file as the converter leaves it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tflite, "with_convolved_pooling", bytes)
        return tflite.converted(exported / "saved_model", features, ("int8",))["int8"]


def outputs(content, inputs, resolver):
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(
        model_content=content,
        experimental_op_resolver_type=getattr(tf.lite.experimental.OpResolverType, resolver),
    )
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    results = []
    for one in inputs:
        interpreter.set_tensor(taken["index"], one[None].astype(taken["dtype"]))
        interpreter.invoke()
        results.append(interpreter.get_tensor(given["index"]))
    return np.concatenate(results)


@pytest.mark.parametrize("resolver", ["AUTO", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"])
def test_results_are_the_same_bit_for_bit(as_converted, features, resolver):
    values = np.random.default_rng(0).integers(-128, 128, features.shape)
    expected = outputs(as_converted, values, resolver)
    assert expected.std() > 0
    found = outputs(with_convolved_pooling(as_converted), values, resolver)
    np.testing.assert_array_equal(found, expected)


def test_the_pooling_of_an_exported_int8_file_is_a_convolution(as_converted, exported):
    before = flatbuffer.operators(flatbuffer.parse(as_converted))
    after = json.loads((exported / "student_int8.json").read_text())["operators"]
    assert before.pop("AVERAGE_POOL_2D") == 1
    before["DEPTHWISE_CONV_2D"] += 1
    assert after == before
