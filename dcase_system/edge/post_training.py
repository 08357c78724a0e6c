"""Post-training int8 quantization of a float32 `.tflite` file, with calibrated ranges and biases.

The converter's own calibration takes the minimum and maximum of each tensor, and sees a sum in
place of its first addend, because additions run in place there: the addend gets the range of the
sum, up to twice its own. This module measures the ranges itself and narrows them to minimize the
mean squared error: outliers are clipped, everything else gets finer steps.

Rounding of weights and inputs then shifts the mean output of each convolution from that of the
float32 network. Its bias is corrected by the difference, layer by layer, with all earlier layers
already corrected (Nagel et al., Data-Free Quantization, 2019, section 4.2, with data). If a ReLU
follows, the difference is divided by the share of values that pass it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.python.convert import mlir_quantize

from dcase_system.core import native_messages
from dcase_system.core.interpreter import loaded
from dcase_system.edge import flatbuffer
from dcase_system.edge.quantisation import Observer, Range, dequantise, quantise

_CORRECTION_INPUTS = 50  # a mean needs fewer inputs than a range
# Operators with a bias, linear up to their own activation.
_BIASED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_LEAST_ACTIVE = 0.1  # below this share, too few values pass a ReLU for an estimate


def quantised(float32: bytes, inputs: Sequence[np.ndarray]) -> bytes:
    """Quantizes a float32 file to int8: weights per channel, activations, input and output.

    Args:
        float32: A `.tflite` file with one input, as the converter writes it.
        inputs: Calibration inputs, each of the input's shape.
    """
    model = flatbuffer.parse(float32)
    tensors = model.subgraphs[0].tensors
    for index, (low, high) in _ranges(float32, inputs).items():
        tensors[index].quantization = schema.QuantizationParametersT()
        tensors[index].quantization.min, tensors[index].quantization.max = [low], [high]
    with native_messages.hidden():
        int8 = mlir_quantize(
            flatbuffer.serialise(model), input_data_type=tf.int8, output_data_type=tf.int8
        )
    return corrected(int8, float32, inputs)


def _ranges(float32: bytes, inputs: Iterable[np.ndarray]) -> dict[int, Range]:
    """Returns the range of each computed or input float32 tensor, by its index."""
    graph, generator = flatbuffer.parse(float32).subgraphs[0], np.random.default_rng(0)
    computed = [int(index) for operator in graph.operators for index in operator.outputs]
    observers = {
        index: Observer(generator)
        for index in (int(graph.inputs[0]), *computed)
        if graph.tensors[index].type == schema.TensorType.FLOAT32
    }
    for interpreter in _runs(float32, inputs, every_tensor=True):
        for index, observer in observers.items():
            observer.add(interpreter.get_tensor(index))
    return {index: observer.range() for index, observer in observers.items()}


def corrected(int8: bytes, float32: bytes, inputs: Sequence[np.ndarray]) -> bytes:
    """Corrects an int8 file's biases so that each layer's mean matches the float32 file.

    Args:
        int8: A `.tflite` file.
        float32: A float32 file of the same network, with the same tensor names.
        inputs: Real values, each of the input's shape; a subset is used.
    """
    rows = np.linspace(0, len(inputs) - 1, min(_CORRECTION_INPUTS, len(inputs))).astype(int)
    inputs = [inputs[row] for row in rows]
    expected = _float_means(float32, inputs)
    model = flatbuffer.parse(int8)
    graph = model.subgraphs[0]
    operators, outputs = graph.operators, graph.outputs
    uses = [int(index) for operator in operators for index in operator.inputs]
    for position, operator in enumerate(operators):
        output = int(operator.outputs[0])
        name = flatbuffer.tensor_name(graph.tensors[output])
        # A bias of zeros is left out (-1); one that several layers share must not move for one.
        if name not in expected or operator.inputs[2] < 0 or uses.count(operator.inputs[2]) > 1:
            continue
        # Cut the graph here, so that later operators take no time.
        graph.operators = operators[: position + 1]
        graph.outputs = [output, *_left_over(graph.operators, output)]
        found, active = _mean(flatbuffer.serialise(model), inputs)
        if operator.builtinOptions.fusedActivationFunction == schema.ActivationFunctionType.NONE:
            active = np.ones_like(active)
        _move_bias(model, operator, (expected[name] - found) / np.maximum(active, _LEAST_ACTIVE))
    graph.operators, graph.outputs = operators, outputs
    return flatbuffer.serialise(model)


def biases(int8: bytes) -> dict[str, np.ndarray]:
    """Returns the real values of an int8 file's biases, by the name of their layers' outputs."""
    model = flatbuffer.parse(int8)
    tensors = model.subgraphs[0].tensors
    return {
        flatbuffer.tensor_name(tensors[operator.outputs[0]]): _step(model, operator)
        * _stored_bias(model, operator)
        for operator in model.subgraphs[0].operators
        if flatbuffer.operator_name(model, operator) in _BIASED and operator.inputs[2] >= 0
    }


def _left_over(operators: Sequence[Any], output: int) -> Iterator[int]:
    """Yields other unread tensors: XNNPACK of TensorFlow 2.17 fails on partly read operators."""
    taken = {int(index) for operator in operators for index in operator.inputs}
    given = (int(index) for operator in operators for index in operator.outputs)
    yield from (index for index in given if index not in taken and index != output)


def _move_bias(model: Any, operator: Any, by: np.ndarray) -> None:
    tensors, bias = model.subgraphs[0].tensors, model.subgraphs[0].tensors[operator.inputs[2]]
    moved = _stored_bias(model, operator) + np.rint(by / _step(model, operator)).astype(np.int32)
    if sum(tensor.buffer == bias.buffer for tensor in tensors) > 1:
        bias.buffer = len(model.buffers)  # equal biases of several layers are stored once
        model.buffers.append(schema.BufferT())
    model.buffers[bias.buffer].data = np.frombuffer(moved.tobytes(), np.uint8)


def _stored_bias(model: Any, operator: Any) -> np.ndarray:
    buffer = model.buffers[model.subgraphs[0].tensors[operator.inputs[2]].buffer]
    return np.frombuffer(bytes(bytearray(buffer.data)), np.int32)


def _step(model: Any, operator: Any) -> np.ndarray:
    """Returns the quantization step of a layer's sums, and so of its bias."""
    taken, kernel = (model.subgraphs[0].tensors[index] for index in operator.inputs[:2])
    return taken.quantization.scale[0] * np.asarray(kernel.quantization.scale)


def _float_means(float32: bytes, inputs: Sequence[np.ndarray]) -> Mapping[str, np.ndarray]:
    """Returns the mean output (channels,) of each layer with a bias, by tensor name."""
    model = flatbuffer.parse(float32)
    tensors = model.subgraphs[0].tensors
    names = {
        int(operator.outputs[0]): flatbuffer.tensor_name(tensors[int(operator.outputs[0])])
        for operator in model.subgraphs[0].operators
        if flatbuffer.operator_name(model, operator) in _BIASED
    }
    sums: dict[str, Any] = dict.fromkeys(names.values(), 0.0)
    for interpreter in _runs(float32, inputs, every_tensor=True):
        for index, name in names.items():
            sums[name] += _by_channel(interpreter.get_tensor(index)).mean(axis=0)
    return {name: total / len(inputs) for name, total in sums.items()}


def _mean(int8: bytes, inputs: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns an int8 file's mean output (channels,) and the share of values above zero."""
    mean, active = np.zeros(1), np.zeros(1)
    for interpreter in _runs(int8, inputs):
        details = interpreter.get_output_details()[0]
        output = _by_channel(dequantise(interpreter.get_tensor(details["index"]), details))
        mean, active = mean + output.mean(axis=0), active + (output > 0).mean(axis=0)
    return mean / len(inputs), active / len(inputs)


def _runs(
    content: bytes, inputs: Iterable[np.ndarray], *, every_tensor: bool = False
) -> Iterable[Interpreter]:
    """Yields a file's interpreter after each input."""
    interpreter = loaded(content, every_tensor=every_tensor)
    details = interpreter.get_input_details()[0]
    for values in inputs:
        interpreter.set_tensor(details["index"], quantise(values, details))
        interpreter.invoke()
        yield interpreter


def _by_channel(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, values.shape[-1])
