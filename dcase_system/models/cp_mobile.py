"""CP-Mobile (Schmid et al., DCASE 2023/2024) and SSCP-Mobile (SJTU-THU, DCASE 2024) as specs.

Both consist of a stem that halves (frequency, time) twice, inverted-residual blocks, and a 1x1
classifier whose logits are averaged over the map. SSCP-Mobile replaces each 3x3 kernel of stem
and blocks by the sum of two parallel branches, 3x1 and 1x3, each with its own batch norm and ReLU.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import keras

from dcase_system.models.layers import (
    GlobalResponseNormalization,
    conv_bn,
    depthwise_bn,
    pad_symmetric,
)

BLOCKS_PER_STAGE = (3, 2, 1)


@dataclass(frozen=True)
class BlockSpec:
    """Spec of one inverted-residual block.

    Attributes:
        expanded: Channels between the two 1x1 convolutions.
        channels: Output channels.
        strides: Strides of the depthwise convolution, (frequency, time).
        shortcut: Whether the input is added to the output, average-pooled if the block is strided.
            Explicit, because pruning may make widths equal in a block without a shortcut.
    """

    expanded: int
    channels: int
    strides: tuple[int, int] = (1, 1)
    shortcut: bool = True


@dataclass(frozen=True)
class CPMobileSpec:
    """Spec of a CP-Mobile or SSCP-Mobile with all widths explicit.

    Attributes:
        stem_inner: Channels between the stem's two convolutions, one number per stem path
            (CP-Mobile has one path, SSCP-Mobile two).
        stem_channels: Output channels of the stem.
        blocks: Blocks in order.
        classes: Number of logits.
        input_shape: (mel bands, frames).
        separable: Whether 3x3 kernels are split into 3x1 and 1x3 (SSCP-Mobile).
        response_norm: Whether each block normalises channel responses before its last ReLU (2023).
    """

    stem_inner: tuple[int, ...]
    stem_channels: int
    blocks: tuple[BlockSpec, ...]
    classes: int = 10
    input_shape: tuple[int, int] = (256, 65)
    separable: bool = False
    response_norm: bool = False


def make_divisible(value: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `value`, not more than 10 % below it."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * value else rounded + divisor


def scaled_spec(
    base_channels: int,
    channels_multiplier: float,
    expansion_rate: float,
    block_strides: Sequence[tuple[int, int]],
    **fields,
) -> CPMobileSpec:
    """Spec by the published scaling: stage i has base * multiplier**i channels, in multiples of 8.

    Args:
        base_channels: Channels of the stem and the first stage.
        channels_multiplier: Growth from stage to stage.
        expansion_rate: Expanded channels / input channels of a block.
        block_strides: (frequency, time) stride of each of the six blocks.
        **fields: Other fields of `CPMobileSpec`.
    """
    base = make_divisible(base_channels)
    blocks, channels = [], base
    strides = iter(block_strides)
    for stage, count in enumerate(BLOCKS_PER_STAGE):
        width = make_divisible(base * channels_multiplier**stage)
        for _ in range(count):
            expanded = make_divisible(channels * expansion_rate)
            blocks.append(BlockSpec(expanded, width, next(strides), shortcut=width == channels))
            channels = width
    paths = 2 if fields.get("separable") else 1
    return CPMobileSpec((base // 4,) * paths, base, tuple(blocks), **fields)


_STRIDES_2024 = ((1, 1), (1, 1), (1, 2), (2, 1), (1, 1), (1, 1))
_STRIDES_2023 = ((1, 1), (2, 2), (1, 1), (2, 1), (1, 1), (1, 1))


def cp_mobile() -> CPMobileSpec:
    """The DCASE 2024 Task 1 baseline: 61,148 parameters, 29,419,156 MACs."""
    return scaled_spec(32, 1.8, 2.1, _STRIDES_2024)


def cp_mobile_2023() -> CPMobileSpec:
    """CP-Mobile as published in 2023: 126,952 parameters, 28,893,268 MACs on 64 frames."""
    return scaled_spec(32, 2.3, 3.0, _STRIDES_2023, response_norm=True, input_shape=(256, 64))


def cp_mobile_teacher() -> CPMobileSpec:
    """Our own teacher that trains on a CPU: base width 64, early strides as in 2023."""
    return scaled_spec(64, 1.8, 2.1, _STRIDES_2023)


def sscp_mobile(base_channels: int) -> CPMobileSpec:
    """Unpruned SSCP-Mobile: multiplier 1.8, expansion 2.2, strides of the 2024 baseline."""
    return scaled_spec(base_channels, 1.8, 2.2, _STRIDES_2024, separable=True)


def with_widths(
    spec: CPMobileSpec, stem_inner: int, stage_channels: Sequence[int], expanded: Sequence[int]
) -> CPMobileSpec:
    """Copies a spec with other widths.

    Args:
        spec: Spec that supplies everything but the widths.
        stem_inner: Inner channels of each stem path.
        stage_channels: Channels of the three stages.
        expanded: Expanded channels of the six blocks.
    """
    stages = [stage for stage, count in enumerate(BLOCKS_PER_STAGE) for _ in range(count)]
    blocks = tuple(
        replace(block, channels=stage_channels[stage], expanded=width)
        for block, stage, width in zip(spec.blocks, stages, expanded, strict=True)
    )
    inner = (stem_inner,) * len(spec.stem_inner)
    return replace(spec, stem_inner=inner, stem_channels=stage_channels[0], blocks=blocks)


def sscp_mobile_submitted(system: str) -> CPMobileSpec:
    """The submitted pruned networks by system: `s1`, `s2`, `s3`; and `s2c`.

    S2 as printed has 129,750 bytes at float16, over the limit of 128,000; `s2c` is the same network
    pruned slightly further (ratio 0.6735 instead of 0.67) to comply.
    """
    stem_inner, stages, first, last = _SUBMITTED_WIDTHS[system]
    return with_widths(sscp_mobile(32), stem_inner, stages, [first] * 4 + [last] * 2)


# stem inner, channels of the three stages, expanded channels of blocks 1-4 and of blocks 5-6
_SUBMITTED_WIDTHS = {
    "s1": (8, (32, 56, 104), 72, 124),
    "s2": (8, (32, 59, 103), 69, 127),
    "s2c": (8, (32, 58, 102), 68, 126),
    "s3": (8, (32, 58, 101), 68, 125),
}


def build_cp_mobile(spec: CPMobileSpec) -> keras.Model:
    """Builds the network: (batch, mels, frames, 1) log-mel to (batch, classes) logits."""
    inputs = keras.Input((*spec.input_shape, 1), name="log_mel")
    x = _stem(inputs, spec)
    for index, block in enumerate(spec.blocks, 1):
        x = _block(x, block, spec, f"block{index}")
    x = conv_bn(x, spec.classes, "head", activation=None)  # (batch, mels / 8, frames / 8, classes)
    logits = keras.layers.GlobalAveragePooling2D(name="logits")(x)
    return keras.Model(inputs, logits, name="sscp_mobile" if spec.separable else "cp_mobile")


def _kernels(separable: bool) -> tuple[tuple[int, int], ...]:
    return ((3, 1), (1, 3)) if separable else ((3, 3),)


def _stem(inputs, spec: CPMobileSpec):
    kernels = _kernels(spec.separable)
    paths = []
    for index, (inner, kernel) in enumerate(zip(spec.stem_inner, kernels, strict=True), 1):
        x = conv_bn(inputs, inner, f"stem{index}_a", kernel, (2, 2))
        # The second convolution of a separable path runs along the other axis.
        x = conv_bn(x, spec.stem_channels, f"stem{index}_b", kernel[::-1], (2, 2))
        paths.append(x)
    return paths[0] if len(paths) == 1 else keras.layers.Add(name="stem_add")(paths)


def _block(inputs, block: BlockSpec, spec: CPMobileSpec, name: str):
    x = conv_bn(inputs, block.expanded, f"{name}_expand")
    branches = [
        depthwise_bn(x, f"{name}_depthwise{index}", kernel, block.strides)
        for index, kernel in enumerate(_kernels(spec.separable), 1)
    ]
    x = branches[0] if len(branches) == 1 else keras.layers.Add(name=f"{name}_branches")(branches)
    x = conv_bn(x, block.channels, f"{name}_project", activation=None)
    if block.shortcut:
        x = keras.layers.Add(name=f"{name}_add")([x, _shortcut(inputs, block, name)])
    if spec.response_norm:
        x = GlobalResponseNormalization(name=f"{name}_response_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _shortcut(inputs, block: BlockSpec, name: str):
    if block.strides == (1, 1):
        return inputs
    # PyTorch's AvgPool2d counts the padding's zeros, so a separate layer pads, not the pooling.
    padded = pad_symmetric(inputs, (3, 3), f"{name}_shortcut")
    return keras.layers.AveragePooling2D((3, 3), block.strides, name=f"{name}_shortcut_pool")(
        padded
    )
