"""CNN10 of PANNs (Kong et al., 2020), the audio tagger behind the AudioSet supernet."""

import math
from dataclasses import dataclass, replace

import keras
import tensorflow as tf

from dcase_system.models.layers import FusedBatchNormalization
from dcase_system.parallel.replicas import Dropout


@dataclass(frozen=True)
class CNN10Spec:
    """Spec of a CNN10 with all widths explicit; the defaults are the published network.

    Attributes:
        blocks: Output channels of each 3x3 convolution, in order, for each block; the number of
            widths is the block's depth (two as published).
        embedding: Units of the hidden dense layer.
        classes: Number of logits; the published network applies a sigmoid to each.
        input_shape: (mel bands, frames). The frames are those used for counting; an input may have
            any number that survives the halvings.
        block_dropout: Dropout rate after each block.
        head_dropout: Dropout rate before the hidden dense layer.
    """

    blocks: tuple[tuple[int, ...], ...] = ((64, 64), (128, 128), (256, 256), (512, 512))
    embedding: int = 512
    classes: int = 527
    input_shape: tuple[int, int] = (64, 1_001)
    block_dropout: float = 0.2
    head_dropout: float = 0.5


def sliced_width(channels: int, ratio: float) -> int:
    """Channels a sub-network keeps: floor(ratio * channels) (Lin et al., section 2.2).

    The product is rounded first, because 0.29 * 100 is 28.999... in binary.
    """
    return math.floor(round(ratio * channels, 6))


def uniform_cnn10(
    ratio: float, depth: int, base: CNN10Spec | None = None, static_blocks: int = 1
) -> CNN10Spec:
    """The OFA-AEC sub-network with one width ratio and one depth in all dynamic blocks.

    The static blocks (the first), the embedding and the logits keep their widths.
    """
    base = base or CNN10Spec()
    dynamic = (
        tuple(sliced_width(width, ratio) for width in block[:depth])
        for block in base.blocks[static_blocks:]
    )
    return replace(base, blocks=(*base.blocks[:static_blocks], *dynamic))


def build_cnn10(spec: CNN10Spec) -> keras.Model:
    """Builds the network: (batch, mels, frames, 1) log-mel to (batch, classes) logits.

    The published code has the axes in the other order, (frames, mels).
    """
    inputs = keras.Input((spec.input_shape[0], None, 1), name="log_mel")
    x = _normalise_mels(inputs)
    for index, widths in enumerate(spec.blocks, 1):
        x = _block(x, widths, spec.block_dropout, f"block{index}")
    x = MeanMelsPoolFrames(name="pool")(x)  # (batch, channels)
    x = Dropout(spec.head_dropout, name="head_dropout")(x)
    x = keras.layers.Dense(spec.embedding, activation="relu", name="embedding")(x)
    return keras.Model(inputs, keras.layers.Dense(spec.classes, name="logits")(x), name="cnn10")


@keras.saving.register_keras_serializable("dcase_system")
class MeanMelsPoolFrames(keras.layers.Layer):
    """Mean over mel bands, then maximum plus mean over frames.

    Input: (batch, mels, frames, channels). Output: (batch, channels).
    """

    def call(self, inputs):
        x = tf.reduce_mean(inputs, axis=1)
        return tf.reduce_max(x, axis=1) + tf.reduce_mean(x, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


def _normalise_mels(inputs):
    """Batch normalisation with one mean and deviation per mel band."""
    x = keras.layers.Permute((3, 2, 1), name="mels_last")(inputs)  # (batch, 1, frames, mels)
    x = FusedBatchNormalization(name="mel_bn")(x)
    return keras.layers.Permute((3, 2, 1), name="mels_first")(x)


def _block(x, widths: tuple[int, ...], dropout: float, name: str):
    """3x3 convolutions with batch norm and ReLU, then 2x2 average pooling and dropout."""
    for index, filters in enumerate(widths, 1):
        # At stride 1 "same" is PyTorch's padding, and Keras's initialisation is the published one.
        x = keras.layers.Conv2D(
            filters, (3, 3), padding="same", use_bias=False, name=f"{name}_conv{index}"
        )(x)
        x = FusedBatchNormalization(name=f"{name}_bn{index}")(x)
        x = keras.layers.ReLU(name=f"{name}_relu{index}")(x)
    x = keras.layers.AveragePooling2D((2, 2), name=f"{name}_pool")(x)
    return Dropout(dropout, name=f"{name}_dropout")(x)
