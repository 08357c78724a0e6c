"""ShuffleNet V2 (Ma et al., 2018), which `keras.applications` lacks.

A 3x3 stem with max pooling, three stages of units, a 1x1 convolution, global average pooling and
one dense layer. A unit passes half of its channels unchanged and the other half through a
pointwise, a depthwise and a pointwise convolution; a stage's first unit halves the map and sends
all channels through both branches. Then the channels of the two halves are interleaved.
"""

from dataclasses import dataclass

import keras

from dcase_system.core.errors import InputError
from dcase_system.models.layers import conv_bn, depthwise_bn, pad_symmetric, shuffle_channels


@dataclass(frozen=True)
class ShuffleNetV2Spec:
    """Spec of a network with all widths explicit; the defaults are those of width 1.0x.

    Attributes:
        stem_channels: Channels of the stem.
        units: Units in each stage.
        channels: Channels of each stage, even numbers.
        head_channels: Channels of the last convolution.
        classes: Number of logits.
        input_shape: (bands, frames) of a segment.
        input_channels: Average and difference of the two ears.
    """

    stem_channels: int = 24
    units: tuple[int, ...] = (4, 8, 4)
    channels: tuple[int, ...] = (116, 232, 464)
    head_channels: int = 1024
    classes: int = 3
    input_shape: tuple[int, int] = (128, 128)
    input_channels: int = 2

    def __post_init__(self):
        if len(self.units) != len(self.channels):
            raise _wrong("units", f"one number for each of {self.channels}", self.units)
        if any(channels % 2 for channels in self.channels):
            raise _wrong("channels", "even numbers", self.channels)


def build_shufflenet_v2(spec: ShuffleNetV2Spec) -> keras.Model:
    """Builds the network: (batch, bands, frames, channels) features to (batch, classes) logits."""
    inputs = keras.Input((*spec.input_shape, spec.input_channels), name="scalogram")
    x = conv_bn(inputs, spec.stem_channels, "stem", (3, 3), (2, 2))
    # After ReLU nothing is below 0, so padding with zeros changes no maximum.
    x = pad_symmetric(x, (3, 3), "stem_pool")
    x = keras.layers.MaxPooling2D((3, 3), (2, 2), name="stem_pool")(x)
    for stage, (units, channels) in enumerate(zip(spec.units, spec.channels, strict=True), 1):
        x = _halving_unit(x, channels, f"stage{stage}_unit1")
        for unit in range(2, units + 1):
            x = _unit(x, f"stage{stage}_unit{unit}")
    x = conv_bn(x, spec.head_channels, "head")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)  # (batch, channels)
    logits = keras.layers.Dense(spec.classes, name="logits")(x)
    return keras.Model(inputs, logits, name="shufflenet_v2")


def _unit(x, name: str):
    kept, changed = keras.ops.split(x, 2, axis=-1)
    changed = conv_bn(changed, changed.shape[-1], f"{name}_first")
    changed = depthwise_bn(changed, f"{name}_depthwise", (3, 3), activation=None)
    changed = conv_bn(changed, changed.shape[-1], f"{name}_last")
    return _shuffled(kept, changed, name)


def _halving_unit(x, channels: int, name: str):
    half = channels // 2
    left = depthwise_bn(x, f"{name}_left_depthwise", (3, 3), (2, 2), activation=None)
    left = conv_bn(left, half, f"{name}_left")
    right = conv_bn(x, half, f"{name}_first")
    right = depthwise_bn(right, f"{name}_depthwise", (3, 3), (2, 2), activation=None)
    right = conv_bn(right, half, f"{name}_last")
    return _shuffled(left, right, name)


def _shuffled(left, right, name: str):
    """Interleaves the channels of two halves."""
    x = keras.layers.Concatenate(name=f"{name}_concatenate")([left, right])
    return shuffle_channels(x, 2, name)


def _wrong(what: str, expected: object, received: object) -> InputError:
    return InputError(
        f"{what} does not fit", where="ShuffleNet V2", expected=expected, received=received
    )
