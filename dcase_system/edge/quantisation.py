"""Quantizes and dequantizes values, and finds the range with the least error."""

from collections.abc import Mapping
from typing import Any

import numpy as np

Range = tuple[float, float]
_LEVELS = 255  # steps between the ends of a range at 8 bits
_VALUES = 2_000  # sampled per tensor and input to estimate the error
_SHARES = np.linspace(1.0, 0.3, 29).tolist()  # candidates for each end, of the whole range


def quantise(values: np.ndarray, details: Mapping[str, Any]) -> np.ndarray:
    """Returns real values as a tensor stores them; `details` are the interpreter's."""
    scale, zero_point = details["quantization"]
    if scale == 0:
        return values.astype(details["dtype"])
    limits = np.iinfo(details["dtype"])
    # Rounding and clipping matter: a bare cast wraps 130 to -126.
    return np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max).astype(
        details["dtype"]
    )


def dequantise(stored: np.ndarray, details: Mapping[str, Any]) -> np.ndarray:
    """Returns the real values of stored ones."""
    scale, zero_point = details["quantization"]
    return stored if scale == 0 else (stored.astype(np.float32) - zero_point) * np.float32(scale)


class Observer:
    """Collects a tensor's values, input by input, to determine its range.

    Args:
        generator: Random generator that selects the values to keep.
    """

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._ends: Range = (0.0, 0.0)
        self._samples: list[np.ndarray] = []

    def add(self, values: np.ndarray) -> None:
        """Adds the tensor's values for one input."""
        values = values.ravel()
        low, high = self._ends
        self._ends = (min(low, float(values.min())), max(high, float(values.max())))
        if values.size > _VALUES:
            # At random: every n-th value would come from the same few channels.
            values = values[self._generator.integers(0, values.size, _VALUES)]
        self._samples.append(values.copy())  # the interpreter may overwrite the tensor

    def range(self) -> Range:
        """Returns the range with the least error; any will do for a tensor that is always 0.

        Kernels refuse to add one of a tiny range to one of an ordinary range.
        """
        if self._ends == (0.0, 0.0):
            return 0.0, 1.0
        return narrowed(np.concatenate(self._samples), *self._ends)


def narrowed(values: np.ndarray, low: float, high: float) -> Range:
    """Narrows a range to the part with the least mean squared quantization error.

    Values outside are clipped, and everything else gets finer steps.

    Args:
        values: Values to quantize, or a sample of them.
        low: Minimum of all values.
        high: Maximum of all values.
    """
    low, high = min(low, 0.0), max(high, 0.0)  # zero must be one of the steps
    highest = min((share * high for share in _SHARES), key=lambda end: _error(values, low, end))
    lowest = min((share * low for share in _SHARES), key=lambda end: _error(values, end, highest))
    return lowest, highest


def _error(values: np.ndarray, low: float, high: float) -> float:
    """Returns the mean squared error of values quantized with a range."""
    step = max(high - low, 1e-9) / _LEVELS
    zero = np.rint(-low / step)
    rounded = (np.clip(np.rint(values / step) + zero, 0, _LEVELS) - zero) * step
    return float(np.square(rounded - values).mean())
