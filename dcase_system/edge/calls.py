"""The operators of a `.tflite` file with their shapes, and the multiplications of each."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dcase_system.edge import flatbuffer

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One operator of a file.

    Attributes:
        name: Name of the operator.
        shapes: Shapes of its inputs that are present.
        output: Shape of its output.
    """

    name: str
    shapes: Sequence[Shape]
    output: Shape

    @property
    def outputs(self) -> int:
        return math.prod(self.output)

    @property
    def kernel(self) -> Shape:
        """Shape of the weights: (outputs, height, width, inputs), or (outputs, inputs)."""
        return self.shapes[1]


def calls(model: Any) -> list[Call]:
    """Lists the operators of a parsed file with one graph, in its order."""
    graph = model.subgraphs[0]

    def shape(index: int) -> Shape:
        return tuple(int(size) for size in graph.tensors[index].shape)

    return [
        Call(
            flatbuffer.operator_name(model, operator),
            [shape(index) for index in operator.inputs if index >= 0],
            shape(operator.outputs[0]),
        )
        for operator in graph.operators
    ]


def _conv(call: Call) -> int:
    return call.outputs * math.prod(call.kernel[1:])


WEIGHTED: Mapping[str, Callable[[Call], int]] = {
    "CONV_2D": _conv,
    "TRANSPOSE_CONV": _conv,
    "DEPTHWISE_CONV_2D": lambda call: call.outputs * math.prod(call.kernel[1:3]),
    "FULLY_CONNECTED": lambda call: math.prod(call.kernel),
}
"""Multiply-accumulates of the operators that have weights, for batch 1."""
