"""Layers and small blocks shared by the convolutional networks; tensors are channels-last."""

import math
from typing import Literal

import keras
import tensorflow as tf

from dcase_system.models.depthwise import depthwise_conv2d
from dcase_system.parallel import replicas

Activation = Literal["relu", "swish"]


@keras.saving.register_keras_serializable("dcase_system")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation of (batch, height, width, channels) with TensorFlow's fused kernel.

    Keras 3 computes moments and normalisation with separate operations; the fused kernel shortens a
    training step of these networks by about a third on a CPU. The moving variance follows the
    unbiased batch variance, as in PyTorch. Defaults are PyTorch's: epsilon 1e-5, momentum 0.9
    (its 0.1). With replicas, the statistics are those of the whole batch.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs):
        super().__init__(momentum=momentum, epsilon=epsilon, **kwargs)

    def call(self, inputs, training=False, mask=None):
        train = bool(training) and self.trainable
        gamma, beta = tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)
        if not train:
            outputs, _, _ = tf.compat.v1.nn.fused_batch_norm(
                inputs,
                scale=gamma,
                offset=beta,
                mean=tf.convert_to_tensor(self.moving_mean),
                variance=tf.convert_to_tensor(self.moving_variance),
                epsilon=self.epsilon,
                is_training=False,
            )
            return outputs
        outputs, mean, variance = replicas.batch_norm(inputs, gamma, beta, self.epsilon)
        keep = self.momentum
        self.moving_mean.assign(self.moving_mean * keep + mean * (1.0 - keep))
        self.moving_variance.assign(self.moving_variance * keep + variance * (1.0 - keep))
        return outputs


@keras.saving.register_keras_serializable("dcase_system")
class DepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """Keras's layer, channels last, with strides that may differ by axis on every device."""

    def call(self, inputs):
        kernel = tf.convert_to_tensor(self.kernel)
        outputs = depthwise_conv2d(inputs, kernel, self.strides, self.padding, self.dilation_rate)
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias))
        return self.activation(outputs)


@keras.saving.register_keras_serializable("dcase_system")
class GlobalResponseNormalization(keras.layers.Layer):
    """y = gamma * x * n + beta + x with scalar gamma and beta, as in CP-Mobile of 2023.

    n is each channel's L2 norm over (frequency, time), divided by the mean norm over the channels.
    """

    def build(self, input_shape):
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")
        self.beta = self.add_weight(shape=(), initializer="zeros", name="beta")

    def call(self, inputs):
        norms = tf.sqrt(
            tf.reduce_sum(tf.square(inputs), axis=[1, 2], keepdims=True)
        )  # (batch, 1, 1, channels)
        relative = norms / (tf.reduce_mean(norms, axis=-1, keepdims=True) + 1e-6)
        return self.gamma * (inputs * relative) + self.beta + inputs


@keras.saving.register_keras_serializable("dcase_system")
class ResidualNormalization(keras.layers.Layer):
    """y = weight * x + (x - mean) / sqrt(variance + epsilon), as in TF-SepNet.

    Mean and variance are those of each clip's frequency row, over frames and channels: what a
    microphone adds to a band drops out. The variance is unbiased, as PyTorch's is. No weights.

    Input and output: (batch, bands, frames, channels), with known frames and channels.
    """

    def __init__(self, weight: float = 0.1, epsilon: float = 1e-5, **kwargs):
        super().__init__(**kwargs)
        self.weight, self.epsilon = weight, epsilon

    def call(self, inputs):
        centred = inputs - tf.reduce_mean(inputs, axis=[2, 3], keepdims=True)
        bands, values = inputs.shape[1], math.prod(inputs.shape[2:])
        row = tf.reshape(centred, [-1, bands, 1, values])
        # A product of the row with itself, not a mean of squares: at int8 its sum is exact.
        energy = tf.matmul(row, row, transpose_b=True)  # (batch, bands, 1, 1)
        scale = tf.math.rsqrt(energy * (1 / (values - 1)) + self.epsilon)
        return self.weight * inputs + centred * scale

    def get_config(self):
        return {**super().get_config(), "weight": self.weight, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("dcase_system")
class LearnedMean(keras.layers.Layer):
    """y = share * first + (1 - share) * second, with a learned scalar share, 0.5 at first.

    Input: two tensors of one shape. Output: that shape.
    """

    def build(self, input_shape):
        half = keras.initializers.Constant(0.5)
        self.share = self.add_weight(shape=(), initializer=half, name="share")

    def call(self, inputs):
        first, second = inputs
        return self.share * first + (1.0 - self.share) * second

    def compute_output_shape(self, input_shape):
        return input_shape[0]


@keras.saving.register_keras_serializable("dcase_system")
class PowerNormalization(keras.layers.Layer):
    """Signed square root, smooth at zero: sign(x) (sqrt(|x| + offset) - sqrt(offset)).

    It keeps a few large values of an embedding from deciding alone (Perronnin et al. 2010, as
    "power normalization" with exponent 1/2).

    Args:
        offset: Bounds the slope at zero to 1 / (2 sqrt(offset)).
    """

    def __init__(self, offset: float = 1e-3, **kwargs):
        super().__init__(**kwargs)
        self.offset = offset

    def call(self, inputs):
        root = tf.sqrt(tf.abs(inputs) + self.offset) - self.offset**0.5
        return tf.sign(inputs) * root

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "offset": self.offset}


def kaiming_normal(filters: int, kernel_size: tuple[int, int]) -> keras.initializers.Initializer:
    """Normal with deviation sqrt(2 / (filters * kernel size)): PyTorch's kaiming_normal_, fan_out.

    For a depthwise kernel PyTorch's fan_out also counts all channels, unlike Keras's
    VarianceScaling.
    """
    return keras.initializers.RandomNormal(
        0.0, (2.0 / (filters * kernel_size[0] * kernel_size[1])) ** 0.5
    )


def pad_symmetric(x, kernel_size: tuple[int, int], name: str):
    """Zero-pads by (k - 1) / 2 on both sides, as PyTorch does."""
    padding = (kernel_size[0] // 2, kernel_size[1] // 2)
    if padding == (0, 0):
        return x
    return keras.layers.ZeroPadding2D(padding, name=f"{name}_pad")(x)


def _padded(x, kernel_size, strides, name: str, padded_for=None):
    """Returns a convolution's input, padded if needed, and the padding mode to use.

    At stride 1 Keras's "same" is PyTorch's padding; with a stride it puts the odd zero at the end
    only, so a separate layer pads.
    """
    if strides == (1, 1) and padded_for in (None, kernel_size):
        return x, "same"
    return pad_symmetric(x, padded_for or kernel_size, name), "valid"


def conv_bn(
    x,
    filters: int,
    name: str,
    kernel_size: tuple[int, int] = (1, 1),
    strides: tuple[int, int] = (1, 1),
    activation: Activation | None = "relu",
    padded_for: tuple[int, int] | None = None,
):
    """Convolution without bias, batch normalisation and an activation (ReLU by default).

    `padded_for` pads as for another kernel size; padding for a smaller one shrinks the map.
    """
    x, padding = _padded(x, kernel_size, strides, name, padded_for)
    x = keras.layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding,
        use_bias=False,
        kernel_initializer=kaiming_normal(filters, kernel_size),
        name=f"{name}_conv",
    )(x)
    return _normalise(x, name, activation)


def depthwise_bn(
    x,
    name: str,
    kernel_size: tuple[int, int],
    strides: tuple[int, int] = (1, 1),
    activation: Activation | None = "relu",
    padded_for: tuple[int, int] | None = None,
    multiplier: int = 1,
):
    """Depthwise convolution without bias, batch normalisation, activation (ReLU by default).

    `padded_for` pads as for another kernel size; padding for a smaller one shrinks the map.
    `multiplier` is the number of output channels for each input channel.
    """
    initializer = kaiming_normal(x.shape[-1] * multiplier, kernel_size)
    x, padding = _padded(x, kernel_size, strides, name, padded_for)
    x = DepthwiseConv2D(
        kernel_size,
        strides,
        padding,
        multiplier,
        use_bias=False,
        depthwise_initializer=initializer,
        name=f"{name}_conv",
    )(x)
    return _normalise(x, name, activation)


def shuffle_channels(x, groups: int, name: str):
    """Interleaves the channels of equal groups: the first of each group, then the second of each.

    Args:
        x: (batch, rows, columns, channels), all known but the batch.
        groups: Number of groups; divides the channels.
        name: Prefix of the layers' names.
    """
    rows, columns, channels = x.shape[1:]
    x = keras.layers.Reshape((rows, columns, groups, channels // groups), name=f"{name}_groups")(x)
    x = keras.layers.Permute((1, 2, 4, 3), name=f"{name}_turns")(x)
    return keras.layers.Reshape((rows, columns, channels), name=f"{name}_shuffled")(x)


def _normalise(x, name: str, activation: Activation | None):
    x = FusedBatchNormalization(name=f"{name}_bn")(x)
    if activation is None:
        return x
    if activation == "relu":
        return keras.layers.ReLU(name=f"{name}_relu")(x)
    return keras.layers.Activation("silu", name=f"{name}_swish")(x)
