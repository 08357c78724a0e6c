"""Writes the constants and tables of the C front end, for float32 and for integers.

In integers, amplitudes have 30 bits at full scale (29 with pre-emphasis), the FFT divides by its
length, and mel weights have up to 16 bits; sums of mel power are whole numbers of `_unit`.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.edge.c_header import number, rows
from dcase_system.edge.device.front_end import FrontEnd

_BYTES = {"uint16_t": 2, "int32_t": 4, "float": 4, "int64_t": 8}
_A_LINE = 8
_FULL_SCALE = 2**15
_UNIT_BITS, _WEIGHT_BITS, _LOG_BITS, _LOG_STEPS = 30, 16, 16, 64


@dataclass(frozen=True, eq=False)
class Table:
    """A constant array in C: its type, name and values."""

    type: str
    name: str
    values: np.ndarray

    @property
    def bytes(self) -> int:
        return _BYTES[self.type] * len(self.values)


@dataclass(frozen=True)
class FrontEndMemory:
    """Bytes of the C front end in integers, without its code.

    Attributes:
        state: Size of its state, `sizeof(front_end)`.
        features: Size of the features of a window, the model's int8 input.
        tables: Size of its tables, in flash.
    """

    state: int
    features: int
    tables: int

    @property
    def ram(self) -> int:
        return self.state + self.features


def memory(front_end: FrontEnd) -> FrontEndMemory:
    """Returns the memory of the front end in integers, for any input scale."""
    samples = 2 * _recent(front_end)
    tables = [*integer_tables(front_end, 1.0, 0), *_bands(front_end)]
    state = 4 * front_end.fft_length + -(-samples // 4) * 4 + 3 * 4
    features = front_end.bands * front_end.columns
    return FrontEndMemory(state, features, sum(one.bytes for one in tables))


def constants_header(front_end: FrontEnd) -> str:
    """Returns the text of `front_end_constants.h`."""
    defined = {
        "SAMPLES": front_end.samples,
        "WINDOW_LENGTH": len(front_end.window),
        "HOP_LENGTH": front_end.hop_length,
        "FFT_LENGTH": front_end.fft_length,
        "BANDS": front_end.bands,
        "COLUMNS": front_end.columns,
        "RECENT": _recent(front_end),
    }
    return _header("FRONT_END_CONSTANTS_H", (_define(*one) for one in defined.items()))


def tables_header(front_end: FrontEnd, input_scale: float, zero_point: int) -> str:
    """Returns the text of `front_end_tables.h`.

    Args:
        front_end: What to compute.
        input_scale: Scale of the model's int8 input.
        zero_point: Zero point of the model's int8 input.

    Raises:
        InputError: The input's scale is too small for the features.
    """
    scaled = int(len(front_end.mean) > 1)
    lines = [
        _define("EMPHASISED", front_end.emphasised),
        _define("WINDOW_MIRROR", len(front_end.window) - (not front_end.periodic)),
        "/* 1 if each band has a mean and a scale of its own, 0 if all share one. */",
        _define("SCALED_BANDS", scaled),
        "",
        "#ifdef FRONT_END_FLOAT",
        *_float_constants(front_end),
        *_arrays(float_tables(front_end)),
        "#else",
        *_integer_constants(front_end),
        *_arrays(integer_tables(front_end, input_scale, zero_point)),
        "#endif",
        "",
        "/* Weights of each band: its first bin, and where its weights end in `weights`. */",
        *_arrays(_bands(front_end)),
    ]
    return _header("FRONT_END_TABLES_H", lines)


def float_tables(front_end: FrontEnd) -> list[Table]:
    """Returns the tables for float32. The window includes the samples' full scale."""
    return [
        Table("float", "cosines", _cosines(front_end)),
        Table("float", "window", _half_window(front_end) / _FULL_SCALE),
        Table("float", "weights", _weights(front_end)),
        Table("float", "means", front_end.mean),
        Table("float", "scales", front_end.scale),
    ]


def integer_tables(front_end: FrontEnd, input_scale: float, zero_point: int) -> list[Table]:
    """Returns the tables for integers."""
    steps = front_end.scale * input_scale
    # The model's input = logarithm to the base 2 * gain + offset, rounded.
    gains = np.rint(front_end.log_factor * math.log(2) / steps * 2**16)
    units = front_end.log_factor * math.log(_unit(front_end))
    offsets = zero_point + 0.5 - (front_end.mean + units) / steps
    if gains.max() >= 2**31:
        raise InputError(
            "step of the model's input is too small for the front end in C",
            where="front end",
            expected="at most 32,767 steps for a doubling of the power",
            received=f"scale {input_scale:g}",
        )
    logarithms = np.rint(np.log2(1 + np.arange(_LOG_STEPS + 1) / _LOG_STEPS) * 2**_LOG_BITS)
    return [
        Table("int32_t", "cosines", np.rint(_cosines(front_end) * 2**_UNIT_BITS)),
        Table("int32_t", "window", np.rint(_half_window(front_end) * 2**_UNIT_BITS)),
        Table("uint16_t", "weights", np.rint(_weights(front_end) * 2.0 ** _shift(front_end))),
        Table("int32_t", "logarithms", logarithms),
        Table("int32_t", "gains", gains),
        Table("int64_t", "offsets", np.rint(offsets * 2**32)),
    ]


def _unit(front_end: FrontEnd) -> float:
    """Returns the sum in integers of a mel power of 1."""
    amplitude = 2.0 ** (29 if front_end.emphasised else 30) / front_end.fft_length
    return amplitude**2 * 2.0 ** _shift(front_end)


def _shift(front_end: FrontEnd) -> int:
    """Returns the power of two that weights are multiplied by: the largest has all bits."""
    return math.floor(math.log2((2**_WEIGHT_BITS - 1) / front_end.bank.max()))


def _recent(front_end: FrontEnd) -> int:
    """Returns the number of samples that a window is computed from."""
    return len(front_end.window) + front_end.emphasised


def _cosines(front_end: FrontEnd) -> np.ndarray:
    """Returns the first quarter of a turn, both ends included."""
    length = front_end.fft_length
    return np.cos(2 * np.pi * np.arange(length // 4 + 1) / length)


def _half_window(front_end: FrontEnd) -> np.ndarray:
    return front_end.window[: len(front_end.window) // 2 + 1].astype(np.float64)


def _spans(front_end: FrontEnd) -> Iterator[tuple[int, int]]:
    """Yields first and end bin of each band; a band between two bins has none."""
    for filters in front_end.bank.T:
        bins = np.flatnonzero(filters)
        yield (int(bins[0]), int(bins[-1]) + 1) if len(bins) else (0, 0)


def _weights(front_end: FrontEnd) -> np.ndarray:
    pairs = zip(_spans(front_end), front_end.bank.T, strict=True)
    return np.concatenate([filters[begin:end] for (begin, end), filters in pairs])


def _bands(front_end: FrontEnd) -> list[Table]:
    begins, ends = np.array(list(_spans(front_end))).T
    return [
        Table("uint16_t", "band_begins", begins),
        Table("uint16_t", "band_ends", np.cumsum(ends - begins)),
    ]


def _float_constants(front_end: FrontEnd) -> Iterator[str]:
    yield _define("PRE_EMPHASIS", float(front_end.pre_emphasis or 0.0))
    yield _define("LOG_OFFSET", float(front_end.log_offset))
    yield _define("SMALLEST_POWER", float(front_end.smallest_power))
    yield _define("LOG_FACTOR", float(front_end.log_factor))


def _integer_constants(front_end: FrontEnd) -> Iterator[str]:
    yield _define("PRE_EMPHASIS", round((front_end.pre_emphasis or 0.0) * _FULL_SCALE))
    unit = _unit(front_end)
    offset, smallest = round(front_end.log_offset * unit), front_end.smallest_power * unit
    yield f"#define FRONT_END_LOG_OFFSET_HIGH UINT64_C({offset >> 32})"
    yield f"#define FRONT_END_LOG_OFFSET_LOW UINT64_C({offset & 0xFFFFFFFF})"
    yield _define("SMALLEST_LOGARITHM", round(math.log2(max(1.0, smallest)) * 2**_LOG_BITS))


def _define(name: str, value: float) -> str:
    return f"#define FRONT_END_{name} {number(value)}"


def _arrays(tables: list[Table]) -> Iterator[str]:
    for table in tables:
        floats = table.type == "float"
        values = [number(float(one) if floats else int(one)) for one in table.values]
        yield f"static const {table.type} {table.name}[] = {{"
        yield from rows(values, _A_LINE)
        yield "};"


def _header(guard: str, lines: Iterable[str]) -> str:
    return "\n".join(
        [
            "/* Written by dcase_system.edge.microcontroller; do not edit. */",
            f"#ifndef {guard}",
            f"#define {guard}",
            "",
            *lines,
            "",
            f"#endif /* {guard} */",
            "",
        ]
    )
