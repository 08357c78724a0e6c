"""How much memory a microcontroller needs to run a model, planned as TFLite Micro plans it.

Each tensor that is computed lives from the operator that writes it to the last one that reads it.
TFLite Micro places them by size, the largest first, each at the lowest place that no other one of
its time takes (`GreedyMemoryPlanner`, tensorflow/tflite-micro). The plan here is the same, byte for
byte; what the interpreter keeps besides is estimated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert.tools import flatbuffer_utils

from dcase_system.edge import flatbuffer

_ALIGNMENT = 16
_BYTES = {"INT8": 1, "UINT8": 1, "BOOL": 1, "INT16": 2, "FLOAT16": 2, "INT64": 8, "FLOAT64": 8}
# What the interpreter keeps on a 32-bit processor: a multiplier and a shift (4 bytes each) for each
# channel of a quantised convolution; and, rounded up, a tensor's and an operator's structures.
_CHANNEL_BYTES, _TENSOR_BYTES, _OPERATOR_BYTES = 8, 16, 128
_KERNELS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


@dataclass(frozen=True)
class Buffer:
    """A tensor in the arena.

    Attributes:
        bytes: it takes.
        first: the operator that writes it, counted from 1; 0 for an input.
        last: the operator that reads it last.
    """

    bytes: int
    first: int
    last: int

    def meets(self, other: "Buffer") -> bool:
        """Whether both live at one time."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Arena:
    """The memory of a model.

    Attributes:
        tensors: bytes of the plan for all tensors, input and output among them.
        least: bytes that live at one time at most; no plan can do with less.
        interpreter: bytes that the interpreter keeps, estimated.
    """

    tensors: int
    least: int
    interpreter: int

    @property
    def bytes(self) -> int:
        return self.tensors + self.interpreter


def arena(content: bytes) -> Arena:
    """The arena of a `.tflite` model of one graph."""
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
    """The tensors that are computed or handed in, in the order of the file."""
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
    """Offset of each buffer, such that those of one time do not overlap."""
    offsets: dict[int, int] = {}
    # Of two equally large ones, TFLite Micro places the later one of the file first.
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
    # What is not in the table takes four bytes: float32 and int32.
    size = int(np.prod(tensor.shape)) * _BYTES.get(flatbuffer_utils.type_to_name(tensor.type), 4)
    return -(-size // _ALIGNMENT) * _ALIGNMENT
