"""What an ESP32-S3 needs for a `.tflite` file: the contest's MACs, modelled time and RAM.

Nothing here was measured by us on a board. The README has the sources of the constants and how far
the model is from published measurements.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dcase_system.edge import flatbuffer
from dcase_system.edge.arena import arena

CLOCK_HZ = 240_000_000
# The contest's own front end and start on the board, in milliseconds: published, not modelled.
PREPROCESSING_MS, SETUP_MS = 241.12, 4.44

_Shape = tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One operator of a file.

    Attributes:
        name: Name of the operator.
        shapes: Shapes of its inputs that are present.
        output: Shape of its output.
    """

    name: str
    shapes: Sequence[_Shape]
    output: _Shape

    @property
    def outputs(self) -> int:
        return math.prod(self.output)

    @property
    def kernel(self) -> _Shape:
        """Shape of the weights: (outputs, height, width, inputs), or (outputs, inputs)."""
        return self.shapes[1]


def _conv(call: Call) -> int:
    return call.outputs * math.prod(call.kernel[1:])


def _depthwise(call: Call) -> int:
    return call.outputs * math.prod(call.kernel[1:3])


def _dense(call: Call) -> int:
    return math.prod(call.kernel)


def _pool(call: Call) -> int:
    (_, height, width, _), (_, out_height, out_width, _) = call.shapes[0], call.output
    return call.outputs * (height // out_height) * (width // out_width)


_MACS: Mapping[str, Callable[[Call], int]] = {
    "CONV_2D": _conv,
    "TRANSPOSE_CONV": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    **dict.fromkeys(("ADD", "MUL", "SUB"), lambda call: call.outputs),
}
"""MACs by the contest's count; other operators are free."""
_WITH_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")


def _conv_ticks(call: Call) -> float:
    inputs = math.prod(call.kernel[1:])
    if math.prod(call.kernel[1:3]) == 1:
        return call.outputs * (33 + 0.615 * inputs)
    return 3.4 * _conv(call)


_TICKS: Mapping[str, Callable[[Call], float]] = {
    "CONV_2D": _conv_ticks,
    "TRANSPOSE_CONV": _conv_ticks,
    "DEPTHWISE_CONV_2D": lambda call: 5.2 * _depthwise(call),
    "FULLY_CONNECTED": lambda call: 5.6 * _dense(call),
    "AVERAGE_POOL_2D": lambda call: 5.7 * _pool(call),
    "MAX_POOL_2D": lambda call: 2.7 * _pool(call),
    "MEAN": lambda call: 5.7 * math.prod(call.shapes[0]),
    "ADD": lambda call: 44.0 * call.outputs,
    "MUL": lambda call: 19.0 * call.outputs,
}
"""Processor ticks of an int8 operator; other operators are taken as free."""


@dataclass(frozen=True)
class BoardReport:
    """Costs of a file on the board.

    Attributes:
        macs: MACs by the contest's count.
        params: Weights by the contest's count, which leaves out biases.
        model_ms: Modelled time of one call of an int8 file.
        ram_bytes: Planned arena.
    """

    macs: int
    params: int
    model_ms: float
    ram_bytes: int


def board_report(content: bytes) -> BoardReport:
    """Counts and models a `.tflite` file with one graph."""
    calls = _calls(flatbuffer.parse(content))
    ticks = sum(_TICKS[call.name](call) for call in calls if call.name in _TICKS)
    return BoardReport(
        macs=sum(_MACS[call.name](call) for call in calls if call.name in _MACS),
        params=sum(math.prod(call.kernel) for call in calls if call.name in _WITH_WEIGHTS),
        model_ms=1e3 * ticks / CLOCK_HZ,
        ram_bytes=arena(content).bytes,
    )


def _calls(model: Any) -> list[Call]:
    graph = model.subgraphs[0]

    def shape(index: int) -> _Shape:
        return tuple(int(size) for size in graph.tensors[index].shape)

    return [
        Call(
            flatbuffer.operator_name(model, operator),
            [shape(index) for index in operator.inputs if index >= 0],
            shape(operator.outputs[0]),
        )
        for operator in graph.operators
    ]
