"""Computes a CNN10's costs without building it: thousands of sub-networks per second."""

from dcase_system.complexity.costs import Costs
from dcase_system.models.cnn10 import CNN10Spec

_KERNEL = 3 * 3


def costs_of(spec: CNN10Spec) -> Costs:
    """Computes a network's costs, equal to those that `complexity.counter` counts once built."""
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
