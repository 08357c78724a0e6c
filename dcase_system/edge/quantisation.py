"""Real values as integers and back, and the range that loses least."""

from collections.abc import Mapping
from typing import Any

import numpy as np

Range = tuple[float, float]
_LEVELS = 255  # steps between the ends of a range at 8 bits
_VALUES = 2_000  # of a tensor and an input that the error is taken over
_SHARES = np.linspace(1.0, 0.3, 29).tolist()  # of either end of a tensor's whole range


def quantise(values: np.ndarray, details: Mapping[str, Any]) -> np.ndarray:
    """Real values as a tensor stores them; `details` are the interpreter's."""
    scale, zero_point = details["quantization"]
    if scale == 0:
        return values.astype(details["dtype"])
    limits = np.iinfo(details["dtype"])
    # Rounding and clipping matter: a bare cast wraps 130 to -126.
    return np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max).astype(
        details["dtype"]
    )


def dequantise(stored: np.ndarray, details: Mapping[str, Any]) -> np.ndarray:
    """What the values that a tensor stores stand for."""
    scale, zero_point = details["quantization"]
    return stored if scale == 0 else (stored.astype(np.float32) - zero_point) * np.float32(scale)


class Observer:
    """Gathers what a tensor holds, input after input, for its range.

    Args:
        generator: draws the values that are kept.
    """

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._ends: Range = (0.0, 0.0)
        self._samples: list[np.ndarray] = []

    def add(self, values: np.ndarray) -> None:
        """What the tensor holds for one input."""
        values = values.ravel()
        low, high = self._ends
        self._ends = (min(low, float(values.min())), max(high, float(values.max())))
        if values.size > _VALUES:
            # At random: every n-th value would be one of the same few channels.
            values = values[self._generator.integers(0, values.size, _VALUES)]
        self._samples.append(values.copy())  # the tensor itself may be written over

    def range(self) -> Range:
        """The range that loses least."""
        return narrowed(np.concatenate(self._samples), *self._ends)


def narrowed(values: np.ndarray, low: float, high: float) -> Range:
    """The part of a range in which values are quantised with the least mean square error.

    What lies outside is clipped, and everything else gets finer steps.

    Args:
        values: that are quantised, or some of them.
        low: their least.
        high: their greatest.
    """
    low, high = min(low, 0.0), max(high, 0.0)  # zero is one of the steps
    highest = min((share * high for share in _SHARES), key=lambda end: _error(values, low, end))
    lowest = min((share * low for share in _SHARES), key=lambda end: _error(values, end, highest))
    return lowest, highest


def _error(values: np.ndarray, low: float, high: float) -> float:
    """Mean square error of values that are quantised with a range."""
    step = max(high - low, 1e-9) / _LEVELS
    zero = np.rint(-low / step)
    rounded = (np.clip(np.rint(values / step) + zero, 0, _LEVELS) - zero) * step
    return float(np.square(rounded - values).mean())
