"""Computes a network's costs without building it: thousands of sub-networks per second."""

from typing import Any

from dcase_system.complexity.costs import Costs
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.models.cp_mobile import CPMobileSpec

_KERNEL = 3 * 3


def costs_of(spec: Any) -> Costs:
    """Computes a network's costs, equal to those that `complexity.counter` counts once built.

    Args:
        spec: Spec of a CNN10 or a CP-Mobile.
    """
    return _of_cp_mobile(spec) if isinstance(spec, CPMobileSpec) else _of_cnn10(spec)


def _of_cnn10(spec: CNN10Spec) -> Costs:
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


def _of_cp_mobile(spec: CPMobileSpec) -> Costs:
    taps, branches = (3, 2) if spec.separable else (_KERNEL, 1)
    params = macs = 0

    def add(weights: int, channels: int, shape: tuple[int, int]) -> None:
        """Adds a kernel and its batch norm."""
        nonlocal params, macs
        params += weights + 2 * channels
        macs += weights * shape[0] * shape[1] + 2 * channels

    half = _strided(spec.input_shape, (2, 2))
    shape, channels = _strided(half, (2, 2)), spec.stem_channels
    for inner in spec.stem_inner:
        add(taps * inner, inner, half)
        add(taps * inner * channels, channels, shape)
    for block in spec.blocks:
        add(channels * block.expanded, block.expanded, shape)
        shape = _strided(shape, block.strides)
        for _ in range(branches):
            add(taps * block.expanded, block.expanded, shape)
        add(block.expanded * block.channels, block.channels, shape)
        channels = block.channels
    add(channels * spec.classes, spec.classes, shape)
    free = 2 * len(spec.blocks) if spec.response_norm else 0  # scalars, without MACs
    return Costs(params + free, macs)


def _strided(shape: tuple[int, int], strides: tuple[int, int]) -> tuple[int, int]:
    """Size of a map after a convolution with symmetric padding."""
    return -(-shape[0] // strides[0]), -(-shape[1] // strides[1])
