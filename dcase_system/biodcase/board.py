"""What an ESP32-S3 needs for a `.tflite` file: the contest's MACs, modelled time and RAM.

Nothing here was measured by us on a board. The README has the sources of the constants and how far
the model (`edge/cycles.py`) is from published measurements.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dcase_system.edge import flatbuffer
from dcase_system.edge.arena import arena
from dcase_system.edge.calls import WEIGHTED, Call, calls
from dcase_system.edge.cycles import esp32_s3_milliseconds, pooled

# The contest's own front end and start on the board, in milliseconds: published, not modelled.
PREPROCESSING_MS, SETUP_MS = 241.12, 4.44

_MACS: Mapping[str, Callable[[Call], int]] = {
    **WEIGHTED,
    "AVERAGE_POOL_2D": pooled,
    "MAX_POOL_2D": pooled,
    **dict.fromkeys(("ADD", "MUL", "SUB"), lambda call: call.outputs),
}
"""MACs by the contest's count; other operators are free."""


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
    found = calls(flatbuffer.parse(content))
    return BoardReport(
        macs=sum(_MACS[call.name](call) for call in found if call.name in _MACS),
        params=sum(math.prod(call.kernel) for call in found if call.name in WEIGHTED),
        model_ms=esp32_s3_milliseconds(found),
        ram_bytes=arena(content).bytes,
    )
