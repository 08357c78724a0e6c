"""Computes a network's cost arithmetically, for searches over thousands of networks."""

from dataclasses import dataclass
from typing import Literal

BYTES_PER_PARAMETER = {"float32": 4, "float16": 2, "int8": 1}
Measure = Literal["params", "macs", "bytes"]


@dataclass(frozen=True)
class Costs:
    """Parameters and multiply-accumulates of one network, by the official count.

    Attributes:
        params: Trainable parameters, including batch norm.
        macs: MACs for one input of the spec's shape.
    """

    params: int
    macs: int

    def of(self, measure: Measure, precision: str = "float32") -> int:
        """Returns one cost: `params`, `macs`, or the `bytes` of the parameters at a precision."""
        if measure == "bytes":
            return self.params * BYTES_PER_PARAMETER[precision]
        return self.params if measure == "params" else self.macs
