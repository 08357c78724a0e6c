"""What a CNN10 costs, by arithmetic: thousands of sub-networks a second, none of them built."""

from dataclasses import dataclass
from typing import Literal

from dcase_system.complexity.counter import BYTES_PER_PARAMETER
from dcase_system.models.cnn10 import CNN10Spec

_KERNEL = 3 * 3
Measure = Literal["params", "macs", "bytes"]


@dataclass(frozen=True)
class Costs:
    """Parameters and multiply-accumulates of one network, by the official count.

    Attributes:
        params: trainable parameters, batch norm among them.
        macs: for one input of the spec's shape.
    """

    params: int
    macs: int

    def of(self, measure: Measure, precision: str = "float32") -> int:
        """One of the costs: `params`, `macs`, or the `bytes` of the parameters at a precision."""
        if measure == "bytes":
            return self.params * BYTES_PER_PARAMETER[precision]
        return self.params if measure == "params" else self.macs


def costs_of(spec: CNN10Spec) -> Costs:
    """The costs of a network; the same numbers as `complexity.counter` has for the built one."""
    mels, frames = spec.input_shape
    channels = 1
    params = macs = 2 * mels  # batch norm of the mel bands, counted once
    for widths in spec.blocks:
        for width in widths:
            kernel = _KERNEL * channels * width
            params += kernel + 2 * width
            macs += kernel * mels * frames + 2 * width
            channels = width
        mels, frames = mels // 2, frames // 2
    dense = (channels + 1) * spec.embedding + (spec.embedding + 1) * spec.classes
    return Costs(params + dense, macs + dense)
