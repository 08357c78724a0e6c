"""Memory that a microcontroller needs to run a model.

Each computed tensor lives from the operator that writes it to the last one that reads it. Its place
is the one that a plan in the file gives it (`with_plan`), or the one that TFLite Micro finds for
it. The interpreter's own memory is estimated.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert.tools import flatbuffer_utils

from dcase_system.edge import flatbuffer
from dcase_system.edge.memory_plan import Buffer, better_plan, end, least, plan

_ALIGNMENT = 16
# Metadata of TFLite Micro (its memory_management.md): 32-bit integers: a version, the subgraph, the
# number of tensors, and the offset of each tensor, or -1 to leave its place to the interpreter.
_PLAN, _VERSION, _SUBGRAPH, _NO_OFFSET = "OfflineMemoryAllocation", 0, 0, -1
_BYTES = {"INT8": 1, "UINT8": 1, "BOOL": 1, "INT16": 2, "FLOAT16": 2, "INT64": 8, "FLOAT64": 8}
# Memory of the interpreter on a 32-bit processor: a multiplier and a shift (4 bytes each) for each
# channel of a quantized convolution; and, rounded up, the structures of a tensor and an operator.
_CHANNEL_BYTES, _TENSOR_BYTES, _OPERATOR_BYTES = 8, 16, 128
_KERNELS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


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
    """Measures the arena of a `.tflite` model with one graph."""
    model = flatbuffer.parse(content)
    graph = model.subgraphs[0]
    numbered = buffers(model, graph)
    living = list(numbered.values())
    stored = _stored_plan(model)
    offsets = plan(living) if stored is None else [stored[index] for index in numbered]
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
    return Arena(end(living, offsets), least(living), kept)


def with_plan(content: bytes) -> bytes:
    """Stores a plan of little memory in a model with one graph, where TFLite Micro reads it.

    Other runtimes ignore it, and results do not change.
    """
    model = flatbuffer.parse(content)
    graph = model.subgraphs[0]
    numbered = buffers(model, graph)
    offsets = np.full(len(graph.tensors), _NO_OFFSET, "<i4")
    offsets[list(numbered)] = better_plan(list(numbered.values()))
    header = np.array([_VERSION, _SUBGRAPH, len(offsets)], "<i4")
    flatbuffer.attach(model, _PLAN, header.tobytes() + offsets.tobytes())
    return flatbuffer.serialise(model)


def _stored_plan(model: Any) -> list[int] | None:
    """Returns the offset of each tensor of the graph, if a plan for all computed ones is stored."""
    stored = flatbuffer.attached(model, _PLAN)
    if stored is None:
        return None
    offsets = np.frombuffer(stored, "<i4")[3:]
    graph = model.subgraphs[0]
    complete = len(offsets) == len(graph.tensors) and all(
        offsets[index] != _NO_OFFSET for index in buffers(model, graph)
    )
    return offsets.tolist() if complete else None


def buffers(model: Any, graph: Any) -> dict[int, Buffer]:
    """Returns the tensors that are computed or passed in by their numbers, in the file's order."""
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
    return {
        index: Buffer(_aligned(graph.tensors[index]), first[index], last[index])
        for index in sorted(first)
    }


def _aligned(tensor: Any) -> int:
    # Types that are not in the table (float32 and int32) take four bytes.
    size = int(np.prod(tensor.shape)) * _BYTES.get(flatbuffer_utils.type_to_name(tensor.type), 4)
    return -(-size // _ALIGNMENT) * _ALIGNMENT
