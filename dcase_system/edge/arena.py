"""Memory that a microcontroller needs to run a model, planned as TFLite Micro plans it.

Each computed tensor lives from the operator that writes it to the last one that reads it.
TFLite Micro places tensors by size, largest first, each at the lowest offset that no tensor alive
at the same time occupies (`GreedyMemoryPlanner`, tensorflow/tflite-micro). The plan here is the
same, byte for byte; the interpreter's own memory is estimated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert.tools import flatbuffer_utils

from dcase_system.edge import flatbuffer

_ALIGNMENT = 16
_BYTES = {"INT8": 1, "UINT8": 1, "BOOL": 1, "INT16": 2, "FLOAT16": 2, "INT64": 8, "FLOAT64": 8}
# Memory of the interpreter on a 32-bit processor: a multiplier and a shift (4 bytes each) for each
# channel of a quantized convolution; and, rounded up, the structures of a tensor and an operator.
_CHANNEL_BYTES, _TENSOR_BYTES, _OPERATOR_BYTES = 8, 16, 128
_KERNELS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


@dataclass(frozen=True)
class Buffer:
    """A tensor in the arena.

    Attributes:
        bytes: Size.
        first: Operator that writes it, counted from 1; 0 for an input.
        last: Last operator that reads it.
    """

    bytes: int
    first: int
    last: int

    def meets(self, other: "Buffer") -> bool:
        """Whether both are alive at the same time."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Arena:
    """The memory of a model.

    Attributes:
        tensors: Bytes of the plan for all tensors, including input and output.
        least: Largest number of bytes alive at the same time; no plan can need less.
        interpreter: Estimated bytes of the interpreter.
    """

    tensors: int
    least: int
    interpreter: int

    @property
    def bytes(self) -> int:
        return self.tensors + self.interpreter


def arena(content: bytes) -> Arena:
    """Plans the arena of a `.tflite` model with one graph."""
    model = flatbuffer.parse(content)
    graph = model.subgraphs[0]
    living = buffers(model, graph)
    offsets = plan(living)
    ends = [offset + one.bytes for offset, one in zip(offsets, living, strict=True)]
    times = range(len(graph.operators) + 1)
    least = max(sum(one.bytes for one in living if one.first <= at <= one.last) for at in times)
    channels = sum(
        int(graph.tensors[operator.outputs[0]].shape[-1])
        for operator in graph.operators
        if flatbuffer.operator_name(model, operator) in _KERNELS
    )
    kept = (
        _CHANNEL_BYTES * channels
        + _TENSOR_BYTES * len(graph.tensors)
        + _OPERATOR_BYTES * len(graph.operators)
    )
    return Arena(max(ends, default=0), least, kept)


def buffers(model: Any, graph: Any) -> list[Buffer]:
    """Lists the tensors that are computed or passed in, in the order of the file."""
    first = {int(index): 0 for index in graph.inputs}
    last = dict(first)
    for at, operator in enumerate(graph.operators, 1):
        for index in map(int, operator.outputs):
            first.setdefault(index, at)
            last[index] = at
        for index in map(int, operator.inputs):
            if index in first:
                last[index] = at
    last |= {int(index): len(graph.operators) for index in graph.outputs}
    return [
        Buffer(_aligned(graph.tensors[index]), first[index], last[index]) for index in sorted(first)
    ]


def plan(living: Sequence[Buffer]) -> list[int]:
    """Returns each buffer's offset; buffers alive at the same time do not overlap."""
    offsets: dict[int, int] = {}
    # Of two buffers of equal size, TFLite Micro places the later one in the file first.
    for index in sorted(range(len(living)), key=lambda index: (-living[index].bytes, -index)):
        offset = 0
        placed = sorted(
            (offsets[other], living[other].bytes)
            for other in offsets
            if living[other].meets(living[index])
        )
        for begin, size in placed:
            if begin - offset >= living[index].bytes:
                break
            offset = max(offset, begin + size)
        offsets[index] = offset
    return [offsets[index] for index in range(len(living))]


def _aligned(tensor: Any) -> int:
    # Types that are not in the table (float32 and int32) take four bytes.
    size = int(np.prod(tensor.shape)) * _BYTES.get(flatbuffer_utils.type_to_name(tensor.type), 4)
    return -(-size // _ALIGNMENT) * _ALIGNMENT
