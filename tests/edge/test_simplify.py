import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.edge import flatbuffer, tflite
from dcase_system.edge.simplify import _length_needed, simplified


@pytest.fixture(scope="module")
def features(contract, waveforms):
    return np.asarray(contract.features(waveforms.gather(np.arange(20))))


@pytest.fixture(scope="module")
def as_converted(network, features, exported):
    """Files as the converter leaves them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tflite, "simplified", bytes)
        return tflite.converted(exported / "saved_model", features, ("float32", "int8"))


def outputs(content, inputs, resolver="AUTO"):
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(
        model_content=content,
        experimental_op_resolver_type=getattr(tf.lite.experimental.OpResolverType, resolver),
    )
    interpreter.allocate_tensors()
    taken = interpreter.get_input_details()[0]
    results = []
    for one in inputs:
        interpreter.set_tensor(taken["index"], one[None].astype(taken["dtype"]))
        interpreter.invoke()
        results.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    return np.concatenate(results)


@pytest.mark.parametrize("resolver", ["AUTO", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"])
def test_int8_results_are_the_same_bit_for_bit(as_converted, features, resolver):
    values = np.random.default_rng(0).integers(-128, 128, features.shape)
    content = as_converted["int8"]
    np.testing.assert_array_equal(
        outputs(content, values, resolver), outputs(simplified(content), values, resolver)
    )


def test_float_results_are_the_same_numbers(as_converted, features):
    content = as_converted["float32"]
    expected, found = outputs(content, features), outputs(simplified(content), features)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_paddings_and_the_pooling_are_gone_from_an_exported_file(as_converted, exported):
    before = flatbuffer.operators(flatbuffer.parse(as_converted["int8"]))
    after = json.loads((exported / "student_int8.json").read_text())["operators"]
    merged = 9 - before["PAD"]  # by the converter, of TensorFlow 2.21 but not 2.17
    assert merged in (0, 2) and before["AVERAGE_POOL_2D"] == 1
    # Those along frequency, whose length is even, cannot be merged.
    assert after["PAD"] == 3 and "AVERAGE_POOL_2D" not in after
    assert sum(after.values()) == sum(before.values()) - 3 + merged
    assert after["CONV_2D"] == before["CONV_2D"]


@given(
    length=st.integers(1, 40),
    before=st.integers(0, 3),
    behind=st.integers(0, 3),
    window=st.integers(1, 5),
    stride=st.integers(1, 4),
)
def test_same_padding_of_the_needed_length_reads_what_was_read(
    length, before, behind, window, stride
):
    if length + before + behind < window:
        return
    needed = _length_needed(length, (before, behind), window, stride)
    if needed is None:
        return
    starts = range(-before, length + behind - window + 1, stride)
    read = [[at for at in range(start, start + window) if 0 <= at < length] for start in starts]
    # What TensorFlow documents for SAME.
    windows = -(-needed // stride)
    padding = max((windows - 1) * stride + window - needed, 0)
    same = [
        [at for at in range(start, start + window) if 0 <= at < needed]
        for start in range(-(padding // 2), windows * stride - padding // 2, stride)
    ]
    assert same == read
    assert (windows - 1) * stride + window - needed >= 0  # what older XNNPACK needs


@pytest.mark.parametrize(
    ("length", "window", "stride", "needed"),
    [(65, 3, 2, 65), (256, 3, 2, None), (256, 1, 2, 255), (17, 1, 2, 17), (64, 3, 1, 64)],
)
def test_symmetric_padding_by_hand(length, window, stride, needed):
    amount = window // 2
    assert _length_needed(length, (amount, amount), window, stride) == needed
