"""The same network in fewer operators: padding and averaging become part of convolutions.

A Keras network that pads as PyTorch does has a padding in front of each strided convolution. `PAD`
as an operator of its own copies the map; along the time axis, row by row, that takes XNNPACK more
time than the convolution behind it. It merges the two at float32, but at int8 only if the zero
point is not negative (TensorFlow 2.16), and has no average pooling at int8. Both become
convolutions that pad by themselves.

Not every padding is one that a convolution can do. TensorFlow's `SAME` pads as far as the last
window reaches, the odd zero at the end: with stride 2, that is symmetric on an odd length and not
on an even one. And where a window is shorter than its stride, older XNNPACK takes a negative
padding for a large unsigned one, and the result is wrong (google/XNNPACK, pull request 10655).
There the rows behind the last window, which nobody reads, are cut off first.

Results are the same numbers, at int8 bit for bit.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from dcase_system.edge import flatbuffer

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_AXES = (1, 2)  # height and width of (batch, height, width, channels)


def simplified(content: bytes) -> bytes:
    """A `.tflite` model of the same function with fewer operators."""
    model = flatbuffer.parse(content)
    for graph in model.subgraphs:
        pads = _pads(model, graph)
        for operator in graph.operators:
            pad = pads.get(int(operator.inputs[0])) if len(operator.inputs) else None
            if pad is None:
                continue
            if flatbuffer.operator_name(model, operator) == "AVERAGE_POOL_2D":
                _average_by_convolution(model, graph, operator)
            if flatbuffer.operator_name(model, operator) in _CONVOLUTIONS:
                _pad_by_convolution(model, graph, pad, operator)
        read = {int(index) for operator in graph.operators for index in operator.inputs}
        unread = [pad for given, pad in pads.items() if given not in read]
        graph.operators = [
            operator for operator in graph.operators if not any(operator is pad for pad in unread)
        ]
    return flatbuffer.serialise(model)


def _pads(model: Any, graph: Any) -> dict[int, Any]:
    """The paddings of height and width that one operator reads, by the tensor they give."""
    readers = Counter(int(index) for operator in graph.operators for index in operator.inputs)
    return {
        int(operator.outputs[0]): operator
        for operator in graph.operators
        if flatbuffer.operator_name(model, operator) == "PAD"
        and readers[int(operator.outputs[0])] == 1
        and int(operator.outputs[0]) not in graph.outputs
        and len(graph.tensors[operator.inputs[0]].shape) == 4
        and _amounts(model, graph, operator) is not None
    }


def _amounts(model: Any, graph: Any, pad: Any) -> np.ndarray | None:
    """(axes, 2) zeros before and behind; None if they are computed, or not of height and width."""
    amounts = flatbuffer.constant(model, graph.tensors[pad.inputs[1]], np.int32)
    return None if amounts is None or amounts[[0, 3]].any() else amounts


def _average_by_convolution(model: Any, graph: Any, pool: Any) -> None:
    """Makes an average pooling over padded maps a depthwise convolution by 1 / window size.

    At int8 the kernel is 127 everywhere. The mean of an odd number of integers is never half way
    between two, so both round to the same one.
    """
    options, taken = pool.builtinOptions, graph.tensors[pool.inputs[0]]
    window, channels = (options.filterHeight, options.filterWidth), int(taken.shape[3])
    size = window[0] * window[1]
    if options.padding != schema.Padding.VALID or size % 2 == 0:
        return
    shape, name = (1, *window, channels), f"average_{int(pool.outputs[0])}"
    if taken.type == schema.TensorType.INT8:
        scale, bias_scale = 1 / (127 * size), float(taken.quantization.scale[0]) / (127 * size)
        kernel, bias = np.full(shape, 127, np.int8), np.zeros(channels, np.int32)
    elif taken.type == schema.TensorType.FLOAT32:
        scale = bias_scale = None
        kernel, bias = np.full(shape, 1 / size, np.float32), np.zeros(channels, np.float32)
    else:
        return
    pool.inputs = [
        int(pool.inputs[0]),
        flatbuffer.add_constant(model, graph, f"{name}/kernel", kernel, scale),
        flatbuffer.add_constant(model, graph, f"{name}/bias", bias, bias_scale),
    ]
    convolution = schema.DepthwiseConv2DOptionsT()
    convolution.padding = schema.Padding.VALID
    convolution.strideH, convolution.strideW = options.strideH, options.strideW
    convolution.depthMultiplier = convolution.dilationHFactor = convolution.dilationWFactor = 1
    convolution.fusedActivationFunction = options.fusedActivationFunction
    pool.builtinOptions = convolution
    pool.builtinOptionsType = schema.BuiltinOptions.DepthwiseConv2DOptions
    # The first version with int8.
    pool.opcodeIndex = flatbuffer.operator_code(model, "DEPTHWISE_CONV_2D", version=3)


def _pad_by_convolution(model: Any, graph: Any, pad: Any, convolution: Any) -> None:
    """Lets a convolution pad by itself what `pad` pads for it, if its `SAME` is that padding."""
    options = convolution.builtinOptions
    dilated = options.dilationHFactor > 1 or options.dilationWFactor > 1
    if options.padding != schema.Padding.VALID or dilated:
        return
    shape = [int(length) for length in graph.tensors[pad.inputs[0]].shape]
    windows = graph.tensors[convolution.inputs[1]].shape[1:3]
    strides = options.strideH, options.strideW
    amounts, needed = _amounts(model, graph, pad), list(shape)
    assert amounts is not None
    for axis, window, stride in zip(_AXES, windows, strides, strict=True):
        length = _length_needed(shape[axis], amounts[axis], int(window), stride)
        if length is None:
            return
        needed[axis] = length
    options.padding = schema.Padding.SAME
    if needed == shape:
        convolution.inputs = [int(pad.inputs[0]), *(int(index) for index in convolution.inputs[1:])]
    else:
        _make_slice(model, graph, pad, needed)


def _length_needed(length: int, amounts: Sequence[int], window: int, stride: int) -> int | None:
    """Length of an axis at which `SAME` is padding by `amounts`; None if there is none."""
    windows = (length + int(sum(amounts)) - window) // stride + 1
    padding = (windows - 1) * stride + window - length
    needed = length + min(padding, 0)
    same = -(-needed // stride) == windows and max(padding, 0) // 2 == amounts[0]
    return needed if same else None


def _make_slice(model: Any, graph: Any, pad: Any, shape: list[int]) -> None:
    """Makes a padding the operator that keeps the beginning of each axis."""
    given = int(pad.outputs[0])
    begin, size = np.zeros(4, np.int32), np.array(shape, np.int32)
    pad.inputs = [
        int(pad.inputs[0]),
        flatbuffer.add_constant(model, graph, f"slice_{given}/begin", begin),
        flatbuffer.add_constant(model, graph, f"slice_{given}/size", size),
    ]
    pad.opcodeIndex = flatbuffer.operator_code(model, "SLICE", version=2)
    pad.builtinOptionsType = schema.BuiltinOptions.SliceOptions
    pad.builtinOptions = schema.SliceOptionsT()
    graph.tensors[given].shape = shape
