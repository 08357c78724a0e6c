"""Models the time that microcontrollers take for an int8 `.tflite` file.

Nothing here was measured by us. A Cortex-M is modelled by two costs: cycles for each
multiply-accumulate, and cycles for each value that a layer with weights computes (its sum is scaled
and rounded). Both are fitted to the published times of three networks on one board, by least
squares of the relative error. An ESP32-S3 is modelled by the published ticks of its kernels. The
README compares the models with boards that they were not fitted to.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dcase_system.edge import flatbuffer
from dcase_system.edge.calls import WEIGHTED, Call, calls


@dataclass(frozen=True)
class Work:
    """What a network computes.

    Attributes:
        macs: Multiply-accumulates of the layers with weights.
        outputs: Values that these layers compute.
    """

    macs: int
    outputs: int


@dataclass(frozen=True)
class Processor:
    """A processor, and a board that it was measured on.

    Attributes:
        device_class: Class in `devices.DEVICE_CLASSES`.
        clock_hz: Clock of the example of that class.
        board: Measured board.
        board_hz: Its clock.
        kernels: Library that computed the layers.
        per_second: Published inferences a second of the networks in `MEASURED`.
        source: Source of the measurements.
    """

    device_class: str
    clock_hz: int
    board: str
    board_hz: int
    kernels: str
    per_second: tuple[float, float, float]
    source: str

    def costs(self) -> tuple[float, float]:
        """Returns cycles for a multiply-accumulate, and for a computed value."""
        cycles = self.board_hz / np.array(self.per_second)
        work = np.array([(one.macs, one.outputs) for one in MEASURED.values()])
        found = np.linalg.lstsq(work / cycles[:, None], np.ones(len(cycles)), rcond=None)[0]
        return float(found[0]), float(found[1])

    def milliseconds(self, work: Work, clock_hz: int | None = None) -> float:
        """Models the time of a network, at the clock of the class's example by default."""
        mac, output = self.costs()
        return 1e3 * (mac * work.macs + output * work.outputs) / (clock_hz or self.clock_hz)


# Of MLPerf Tiny's reference files, as `work_of` counts them.
MEASURED: Mapping[str, Work] = {
    "image classification": Work(12_501_632, 86_026),
    "keyword spotting": Work(2_656_768, 72_012),
    "visual wake words": Work(7_489_664, 231_554),
}
_MLPERF = "MLPerf Tiny 1.1, closed division, Krai"
PROCESSORS = (
    Processor(
        "Cortex-M4",
        64_000_000,
        "NUCLEO-L4R5ZI",
        120_000_000,
        "CMSIS-NN",
        (2.567, 10.019, 3.324),
        f"{_MLPERF}, microTVM with CMSIS-NN",
    ),
    Processor(
        "Cortex-M33",
        150_000_000,
        "nRF5340 DK",
        128_000_000,
        "CMSIS-NN",
        (3.146, 13.074, 4.286),
        f"{_MLPERF}, microTVM with CMSIS-NN",
    ),
    Processor(
        "Cortex-M7",
        480_000_000,
        "NUCLEO-H7A3ZI-Q",
        280_000_000,
        "X-CUBE-AI",
        (18.215, 60.988, 19.867),
        f"{_MLPERF}, X-CUBE-AI 8.0",
    ),
)
ESP32_S3, ESP32_S3_HZ, ESP32_S3_KERNELS = "ESP32-S3", 240_000_000, "ESP-NN"


def _conv_ticks(call: Call) -> float:
    inputs = math.prod(call.kernel[1:])
    if math.prod(call.kernel[1:3]) == 1:
        return call.outputs * (33 + 0.615 * inputs)
    return 3.4 * WEIGHTED[call.name](call)


# Sources: biodcase/README.md (ESP-NN's README; BioDCASE-Tiny's baseline).
_ESP32_S3_TICKS: Mapping[str, Callable[[Call], float]] = {
    "CONV_2D": _conv_ticks,
    "TRANSPOSE_CONV": _conv_ticks,
    "DEPTHWISE_CONV_2D": lambda call: 5.2 * WEIGHTED[call.name](call),
    "FULLY_CONNECTED": lambda call: 5.6 * WEIGHTED[call.name](call),
    "AVERAGE_POOL_2D": lambda call: 5.7 * pooled(call),
    "MAX_POOL_2D": lambda call: 2.7 * pooled(call),
    "MEAN": lambda call: 5.7 * math.prod(call.shapes[0]),
    "ADD": lambda call: 44.0 * call.outputs,
    "MUL": lambda call: 19.0 * call.outputs,
}


def pooled(call: Call) -> int:
    """Returns the number of values that a pooling reads."""
    (_, height, width, _), (_, out_height, out_width, _) = call.shapes[0], call.output
    return call.outputs * (height // out_height) * (width // out_width)


def work_of(found: Sequence[Call]) -> Work:
    """Counts the work of a file's operators."""
    weighted = [call for call in found if call.name in WEIGHTED]
    return Work(
        sum(WEIGHTED[call.name](call) for call in weighted), sum(call.outputs for call in weighted)
    )


def esp32_s3_milliseconds(found: Sequence[Call]) -> float:
    """Models the time on an ESP32-S3; operators without published ticks are taken as free."""
    ticks = sum(_ESP32_S3_TICKS[call.name](call) for call in found if call.name in _ESP32_S3_TICKS)
    return 1e3 * ticks / ESP32_S3_HZ


@dataclass(frozen=True)
class ModelledTime:
    """Modelled time of a network, without its front end.

    Attributes:
        device_class: Class in `devices.DEVICE_CLASSES`.
        clock_hz: Clock of the example of that class.
        kernels: Library whose published times the model was fitted to.
        milliseconds: Time of one call.
    """

    device_class: str
    clock_hz: int
    kernels: str
    milliseconds: float


def modelled_times(content: bytes) -> tuple[ModelledTime, ...]:
    """Models the time of an int8 `.tflite` file with one graph on each processor."""
    found = calls(flatbuffer.parse(content))
    work = work_of(found)
    return (
        *(
            ModelledTime(one.device_class, one.clock_hz, one.kernels, one.milliseconds(work))
            for one in PROCESSORS
        ),
        ModelledTime(ESP32_S3, ESP32_S3_HZ, ESP32_S3_KERNELS, esp32_s3_milliseconds(found)),
    )
