"""Replaces average pooling in an int8 file by a convolution, whose kernels are faster.

XNNPACK has no average pooling at int8 and leaves it to TFLite's own kernel; an Ethos-U is slower at
it too. S1 at int8 as converted -> with the convolution: milliseconds of processor time (minimum
of 60 medians of ten calls, interleaved, one thread); for the Ethos-U, Vela's estimate.

| converter of TensorFlow | TensorFlow's runtime | ai-edge-litert 2.3.0 | Ethos-U55-128 | bytes |
|---|---|---|---|---|
| 2.17.1 | 1.22 -> 1.14 | 1.01 -> 0.85 | 3.08 -> 2.90 | 136,792 -> 137,448 |
| 2.21.0 | 0.91 -> 0.82 | 0.92 -> 0.83 | 3.08 -> 2.90 | 141,232 -> 141,888 |

At float32 it gains nothing. The networks of the scene search have no such pooling. Results are
identical, bit for bit.
"""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from dcase_system.edge import flatbuffer


def with_convolved_pooling(int8: bytes) -> bytes:
    """Replaces each average pooling over padded int8 maps by a depthwise convolution."""
    model = flatbuffer.parse(int8)
    graph, padded = model.subgraphs[0], set()
    for operator in graph.operators:
        name = flatbuffer.operator_name(model, operator)
        if name == "PAD":
            padded.add(int(operator.outputs[0]))
        elif name == "AVERAGE_POOL_2D" and int(operator.inputs[0]) in padded:
            _convolve(model, graph, operator)
    return flatbuffer.serialise(model)


def _convolve(model: Any, graph: Any, pool: Any) -> None:
    """Turns a pooling into a convolution with kernel 127 at a scale of 1 / (127 * window size).

    The mean of an odd number of integers is never halfway between two, so both round to the same
    integer.
    """
    options, taken = pool.builtinOptions, graph.tensors[pool.inputs[0]]
    window, channels = (options.filterHeight, options.filterWidth), int(taken.shape[3])
    size = window[0] * window[1]
    if options.padding != schema.Padding.VALID or size % 2 == 0:
        return
    name, scale = f"average_{int(pool.outputs[0])}", 1 / (127 * size)
    kernel, bias = np.full((1, *window, channels), 127, np.int8), np.zeros(channels, np.int32)
    bias_scale = float(taken.quantization.scale[0]) * scale
    pool.inputs = [
        int(pool.inputs[0]),
        flatbuffer.add_constant(model, graph, f"{name}/kernel", kernel, scale),
        flatbuffer.add_constant(model, graph, f"{name}/bias", bias, bias_scale),
    ]
    pool.builtinOptionsType = schema.BuiltinOptions.DepthwiseConv2DOptions
    pool.builtinOptions = schema.DepthwiseConv2DOptionsT(
        padding=schema.Padding.VALID,
        strideW=options.strideW,
        strideH=options.strideH,
        depthMultiplier=1,
        fusedActivationFunction=options.fusedActivationFunction,
    )
    # The first version that supports int8.
    pool.opcodeIndex = flatbuffer.operator_code(model, "DEPTHWISE_CONV_2D", version=3)
