import subprocess
import sys

import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.edge import flatbuffer, quantisation
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models.precision import cast_weights
from tests.commands import ROOT


@pytest.mark.parametrize(("name", "tolerance"), [("float32", 1e-4), ("float16", 2e-2)])
def test_float_files_agree_with_keras(logits, name, tolerance):
    np.testing.assert_allclose(logits[f"tflite_{name}"], logits["keras_float32"], atol=tolerance)


@pytest.mark.parametrize("name", ["int8", "dynamic"])
def test_quantised_files_mostly_decide_as_keras(logits, name):
    decided = logits[f"tflite_{name}"].argmax(axis=1) == logits["keras_float32"].argmax(axis=1)
    assert decided.mean() >= 0.8  # random weights: classes lie closer together than after training


def test_int8_file_takes_and_gives_int8(exported):
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(str(exported / "student_int8.tflite"))
    assert interpreter.get_input_details()[0]["dtype"] == np.int8
    assert interpreter.get_output_details()[0]["dtype"] == np.int8


def test_files_have_batch_one_and_shrink_with_precision(exported):
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(str(exported / "student_float32.tflite"))
    assert interpreter.get_input_details()[0]["shape"].tolist() == [1, 32, 41, 1]
    half, full = (_constant_bytes(exported / f"student_float{bits}.tflite") for bits in (16, 32))
    assert half < 0.6 * full  # of a network this small, operators are most of the file


def _constant_bytes(path):
    buffers = flatbuffer.parse(path.read_bytes()).buffers
    return sum(len(buffer.data) for buffer in buffers if buffer.data is not None)


def test_inputs_are_rounded_and_clipped_not_wrapped():
    details = {"dtype": np.int8, "quantization": (1.0, 0)}
    quantised = quantisation.quantise(np.array([127.6, 130.0, -200.0, 0.6, -0.4]), details)
    np.testing.assert_array_equal(quantised, [127, 127, -128, 1, 0])


def test_missing_and_foreign_files_are_named(tmp_path):
    with pytest.raises(InputError, match="model file is missing"):
        TFLiteModel(tmp_path / "gone.tflite")
    (tmp_path / "text.tflite").write_text("hello")
    with pytest.raises(InputError, match=r"text\.tflite: model cannot be loaded"):
        TFLiteModel(tmp_path / "text.tflite")


def test_a_name_that_is_not_utf_8_is_refused(exported, tmp_path):
    path = tmp_path / "names.tflite"
    content = (exported / "student_float32.tflite").read_bytes()
    name = TFLiteModel(exported / "student_float32.tflite").input["name"].encode()
    path.write_bytes(content.replace(name, b"\xff" * len(name)))
    with pytest.raises(InputError, match=r"names\.tflite: model cannot be loaded \('utf-8' codec"):
        TFLiteModel(path)


def with_bytes(content, *operator_names):
    """A model with further operators of bytes without scale and memory that none has written."""
    model = flatbuffer.parse(content)
    graph, schema = model.subgraphs[0], flatbuffer.schema

    def added(kind, data=None):
        model.buffers.append(schema.BufferT(data=data))
        graph.tensors.append(schema.TensorT(shape=[3], type=kind, buffer=len(model.buffers) - 1))
        return len(graph.tensors) - 1

    taken = [added(schema.TensorType.UINT8, [1, 2, 3]), added(schema.TensorType.UINT8)]
    for name in operator_names:
        code, given = flatbuffer.operator_code(model, name), added(schema.TensorType.FLOAT32)
        graph.operators.append(schema.OperatorT(code, inputs=taken, outputs=[given]))
    return flatbuffer.serialise(model)


def test_only_custom_operators_take_bytes_without_scale_and_unwritten_memory(exported, tmp_path):
    content = (exported / "student_int8.tflite").read_bytes()
    path = tmp_path / "compiled.tflite"
    path.write_bytes(with_bytes(content, "CUSTOM"))  # as a compiler for an accelerator leaves it
    assert flatbuffer.operators(flatbuffer.parse(path.read_bytes()))["CUSTOM"] == 1
    with pytest.raises(InputError, match=r"compiled\.tflite: model cannot be loaded"):
        TFLiteModel(path)
    for names in (["RELU"], ["CUSTOM", "RELU"]):
        with pytest.raises(ValueError, match="quantised tensor has no scale"):
            flatbuffer.parse(with_bytes(content, *names))


def test_an_input_that_takes_seconds_to_prepare_is_refused(exported, tmp_path):
    model = flatbuffer.parse((exported / "student_float32.tflite").read_bytes())
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].shape = [1, 2**20, 41, 1]
    (tmp_path / "wide.tflite").write_bytes(flatbuffer.serialise(model))
    with pytest.raises(InputError, match=r"wide\.tflite: model cannot be loaded .*takes too much"):
        TFLiteModel(tmp_path / "wide.tflite")


def test_cast_weights_are_half_precision_numbers(network):
    cast = cast_weights(network, "float16")
    for weight, original in zip(cast.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, original.astype(np.float16).astype(np.float32))
    assert any(
        (a != b).any() for a, b in zip(cast.get_weights(), network.get_weights(), strict=True)
    )


def test_conversion_and_inference_write_nothing_on_standard_error(tmp_path):
    code = f"""
import sys
import numpy as np
import dcase_system, keras
from pathlib import Path
from dcase_system.edge import tflite
from dcase_system.edge.tflite_model import TFLiteModel
print("imported", file=sys.stderr)
network = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3),
                            keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
clips = np.ones((3, 8, 8, 1), np.float32)
tflite.export(network, Path({str(tmp_path)!r}), clips)
for name in tflite.FORMATS:
    TFLiteModel(Path({str(tmp_path)!r}) / tflite.file_name(name))(clips)
tflite.converted_function(lambda x: x + 1.0, (1, 4), "x")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.partition("imported\n")[2] == ""
