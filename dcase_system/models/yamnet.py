"""YAMNet (tensorflow/models, research/audioset/yamnet): MobileNet V1 pretrained on AudioSet.

Its batch norms are folded into the convolutions, as in the published `.tflite`, which has no
statistics: the network is fine-tuned or frozen, not trained from scratch. Published, it takes
patches of 96 frames; here it takes a clip of any length, and the mean over the last map stands for
the mean over patches. Frames at the end that fill no stride of the last map are left out: with
them TensorFlow would pad the strided layers at the other side than in a patch, and the published
weights would see every map shifted (a linear classifier on 98 frames: 40 % for 53 on 96).
"""

import math
from dataclasses import dataclass

import keras

from dcase_system.models.layers import DepthwiseConv2D, FusedBatchNormalization, PowerNormalization
from dcase_system.models.linear import EMBEDDING_NORM


@dataclass(frozen=True)
class YAMNetLayerSpec:
    """Spec of a depthwise-separable layer: output channels, and stride of the depthwise part."""

    channels: int
    stride: int = 1


_LAYERS = (
    YAMNetLayerSpec(64),
    YAMNetLayerSpec(128, 2),
    YAMNetLayerSpec(128),
    YAMNetLayerSpec(256, 2),
    YAMNetLayerSpec(256),
    YAMNetLayerSpec(512, 2),
    *(YAMNetLayerSpec(512),) * 5,
    YAMNetLayerSpec(1_024, 2),
    YAMNetLayerSpec(1_024),
)


@dataclass(frozen=True)
class YAMNetSpec:
    """Spec of a YAMNet with all widths explicit; the defaults are the published network.

    Attributes:
        stem_channels: Channels of the first layer, a 3x3 convolution with stride 2.
        layers: Separable layers in order.
        classes: Number of logits; the published network applies a sigmoid to each.
        input_shape: (mel bands, frames).
        power_normalised: Whether the classifier takes the signed square root of the embedding; the
            published one does not.
    """

    stem_channels: int = 32
    layers: tuple[YAMNetLayerSpec, ...] = _LAYERS
    classes: int = 521
    input_shape: tuple[int, int] = (64, 96)
    power_normalised: bool = False


def build_yamnet(spec: YAMNetSpec) -> keras.Model:
    """Builds the network: (batch, mels, frames, 1) log-mel to (batch, classes) logits.

    The layer `embedding` gives the 1,024 values from which others train classifiers. They differ in
    scale by far, so a batch norm stands before the classifier and belongs to it; until trained, it
    changes nothing. The classifier starts at zero, see `build_linear`.
    """
    inputs = keras.Input((*spec.input_shape, 1), name="log_mel")
    stride = 2 * math.prod(layer.stride for layer in spec.layers)
    x = inputs
    if rest := spec.input_shape[1] % stride:
        x = keras.layers.Cropping2D(((0, 0), (0, rest)), name="whole_strides")(x)
    x = _convolution(spec.stem_channels, 3, 2, "layer1_conv")(x)
    for number, layer in enumerate(spec.layers, 2):
        x = DepthwiseConv2D(
            3, layer.stride, "same", activation="relu", name=f"layer{number}_depthwise"
        )(x)
        x = _convolution(layer.channels, 1, 1, f"layer{number}_pointwise")(x)
    x = keras.layers.GlobalAveragePooling2D(keepdims=True, name="embedding")(x)
    if spec.power_normalised:
        x = PowerNormalization(name="embedding_root")(x)
    x = FusedBatchNormalization(name=EMBEDDING_NORM)(x)  # (batch, 1, 1, channels)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(
        inputs,
        keras.layers.Dense(spec.classes, kernel_initializer="zeros", name="logits")(x),
        name="yamnet",
    )


def _convolution(channels: int, kernel: int, stride: int, name: str) -> keras.layers.Layer:
    """A convolution with ReLU; TensorFlow's own padding, as published."""
    return keras.layers.Conv2D(
        channels,
        kernel,
        stride,
        "same",
        activation="relu",
        kernel_initializer="he_normal",
        name=name,
    )
