"""TF-SepNet (Cai et al., ICASSP 2024; DCASE 2024 Task 1) as specs.

A stem that halves (frequency, time) twice, stages of separable blocks, and a 1x1 classifier whose
logits are averaged over the map. A block interleaves its channels and splits them in halves: one
half is filtered along frequency and averaged over it, the other along time. Residual normalisation
stands before the first stage and after each one. The numbers are those of the public code,
yqcai888/easy_dcase_task1.
"""

from dataclasses import dataclass

import keras

from dcase_system.core.errors import InputError
from dcase_system.models.layers import (
    ResidualNormalization,
    conv_bn,
    depthwise_bn,
    shuffle_channels,
)
from dcase_system.parallel.replicas import Dropout


@dataclass(frozen=True)
class SepStageSpec:
    """Spec of one stage.

    Attributes:
        channels: Channels of its blocks, an even number.
        blocks: Number of blocks.
        pooled: Whether 2x2 max pooling precedes the first block.
    """

    channels: int
    blocks: int
    pooled: bool = True


_STAGES_64 = (
    SepStageSpec(64, 2, pooled=False),
    SepStageSpec(96, 2),
    SepStageSpec(128, 2),
    SepStageSpec(160, 3),
)


@dataclass(frozen=True)
class TFSepNetSpec:
    """Spec of a TF-SepNet with all widths explicit; the defaults are TF-SepNet-64's.

    Attributes:
        stem_inner: Channels between the stem's two convolutions.
        stem_channels: Output channels of the stem, a multiple of `stem_inner`.
        stages: Stages in order.
        classes: Number of logits.
        input_shape: (mel bands, frames).
        dropout: Dropout rate after each pointwise convolution.
        identity_weight: Share of the input that residual normalisation adds to its output.
    """

    stem_inner: int = 32
    stem_channels: int = 128
    stages: tuple[SepStageSpec, ...] = _STAGES_64
    classes: int = 10
    input_shape: tuple[int, int] = (512, 64)
    dropout: float = 0.1
    identity_weight: float = 0.1

    def __post_init__(self):
        if self.stem_channels % self.stem_inner:
            raise _wrong("stem_channels", f"a multiple of {self.stem_inner}", self.stem_channels)
        if odd := [stage.channels for stage in self.stages if stage.channels % 2]:
            raise _wrong("channels", "even numbers", odd[0])


def tf_sepnet_64() -> TFSepNetSpec:
    """TF-SepNet-64 of DCASE 2024: 126,858 parameters, 29,419,648 MACs on 64 frames."""
    return TFSepNetSpec()


def build_tf_sepnet(spec: TFSepNetSpec) -> keras.Model:
    """Builds the network: (batch, mels, frames, 1) log-mel to (batch, classes) logits.

    Raises:
        InputError: The input is so small that a map vanishes.
    """
    inputs = keras.Input((*spec.input_shape, 1), name="log_mel")
    x = conv_bn(inputs, spec.stem_inner, "stem_a", (3, 3), (2, 2))
    multiplier = spec.stem_channels // spec.stem_inner
    x = depthwise_bn(x, "stem_b", (3, 3), (2, 2), multiplier=multiplier)
    x = ResidualNormalization(spec.identity_weight, name="stem_norm")(x)
    for number, stage in enumerate(spec.stages, 1):
        name = f"stage{number}"
        if stage.pooled:
            if min(x.shape[1:3]) < 2:
                raise _wrong("input_shape", "a size at which no map vanishes", spec.input_shape)
            x = keras.layers.MaxPooling2D((2, 2), name=f"{name}_pool")(x)
        for block in range(1, stage.blocks + 1):
            x = _block(x, stage.channels, spec.dropout, f"{name}_block{block}")
        x = ResidualNormalization(spec.identity_weight, name=f"{name}_norm")(x)
    x = keras.layers.Conv2D(spec.classes, (1, 1), name="head")(x)  # (batch, rows, columns, classes)
    logits = keras.layers.GlobalAveragePooling2D(name="logits")(x)
    return keras.Model(inputs, logits, name="tf_sepnet")


def _block(x, channels: int, dropout: float, name: str):
    if x.shape[-1] != channels:
        x = conv_bn(x, channels, f"{name}_transition")
    first, second = keras.ops.split(shuffle_channels(x, 2, name), 2, axis=-1)
    first = _branch(first, (3, 1), 1, dropout, f"{name}_frequency")
    second = _branch(second, (1, 3), 2, dropout, f"{name}_time")
    return keras.layers.Concatenate(name=f"{name}_concatenate")([first, second])


def _branch(inputs, kernel: tuple[int, int], axis: int, dropout: float, name: str):
    """Filters along an axis and averages over it; the sum with the input spreads it out again."""
    x = depthwise_bn(inputs, f"{name}_depthwise", kernel)
    x = keras.ops.mean(x, axis=axis, keepdims=True)
    x = conv_bn(x, inputs.shape[-1], f"{name}_pointwise")
    x = Dropout(dropout, name=f"{name}_dropout")(x)
    return keras.layers.Add(name=f"{name}_add")([inputs, x])


def _wrong(what: str, expected: object, received: object) -> InputError:
    return InputError(
        f"{what} does not fit", where="TF-SepNet", expected=expected, received=received
    )
