"""Runs the layers of an ordinary network with the first of their channels.

Kernels are sliced before use, so compute is proportional to width. A layer reads as many channels
as its input has, and makes as many as it is told.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import keras
import tensorflow as tf

from dcase_system.models.depthwise import depthwise_conv2d
from dcase_system.models.layers import DepthwiseConv2D, FusedBatchNormalization
from dcase_system.parallel import replicas

# `training` uses batch statistics and dropout, `calibrating` batch statistics without dropout,
# `running` the moving statistics.
Mode = Literal["training", "calibrating", "running"]


@dataclass(frozen=True)
class Call:
    """How a layer runs.

    Attributes:
        mode: Source of batch norm statistics, and whether dropout is on.
        keep: Momentum of the moving statistics, where they are updated.
        of_shares: Whether each replica sees its share of a batch rather than all of it.
    """

    mode: Mode
    keep: Any
    of_shares: bool


def _convolution(layer: keras.layers.Conv2D, inputs, width, _: Call):
    kernel = tf.convert_to_tensor(layer.kernel)[:, :, : _channels(inputs), :width]
    strides, padding = layer.strides, layer.padding.upper()
    outputs = tf.nn.conv2d(inputs, kernel, strides, padding, dilations=layer.dilation_rate)
    return layer.activation(_biased(layer, outputs, width))


def _depthwise(layer: DepthwiseConv2D, inputs, _width, _: Call):
    width = _channels(inputs)
    kernel = tf.convert_to_tensor(layer.kernel)[:, :, :width]
    outputs = depthwise_conv2d(inputs, kernel, layer.strides, layer.padding, layer.dilation_rate)
    return layer.activation(_biased(layer, outputs, width))


def _dense(layer: keras.layers.Dense, inputs, width, _: Call):
    kernel = tf.convert_to_tensor(layer.kernel)[: _channels(inputs), :width]
    return layer.activation(_biased(layer, tf.matmul(inputs, kernel), width))


def _normalisation(layer: FusedBatchNormalization, inputs, _width, call: Call):
    """Batch norm that uses the first channels of full affine parameters and statistics.

    Every width updates the same moving statistics, so after training at many widths they fit none:
    see `calibration`.
    """
    width = _channels(inputs)
    gamma, beta = _first(layer.gamma, width), _first(layer.beta, width)
    moving = layer.moving_mean, layer.moving_variance
    if call.mode == "running":
        mean, variance = (_first(variable, width) for variable in moving)
        outputs, _, _ = tf.compat.v1.nn.fused_batch_norm(
            *(inputs, gamma, beta, mean, variance), epsilon=layer.epsilon, is_training=False
        )
        return outputs
    with nullcontext() if call.of_shares else replicas.per_replica():
        outputs, *statistics = replicas.batch_norm(inputs, gamma, beta, layer.epsilon)
    for variable, new in zip(moving, statistics, strict=True):
        old = tf.convert_to_tensor(variable)
        moved = call.keep * old[:width] + (1.0 - call.keep) * new
        variable.assign(tf.concat([moved, old[width:]], axis=0))
    return outputs


def _dropout(layer: keras.layers.Dropout, inputs, _width, call: Call):
    return layer(inputs, training=call.mode == "training")


def _biased(layer: Any, outputs, width):
    return tf.nn.bias_add(outputs, _first(layer.bias, width)) if layer.use_bias else outputs


def _first(variable, width):
    return tf.convert_to_tensor(variable)[:width]


def _channels(inputs):
    known = inputs.shape[-1]
    return tf.shape(inputs)[-1] if known is None else known


# Layer, inputs, number of output channels (None for all), how it runs.
ElasticLayer = Callable[[Any, tf.Tensor, Any, Call], tf.Tensor]
LAYERS: dict[type, ElasticLayer] = {
    keras.layers.Conv2D: _convolution,
    keras.layers.Dense: _dense,
    DepthwiseConv2D: _depthwise,
    FusedBatchNormalization: _normalisation,
    keras.layers.Dropout: _dropout,
}
"""How a layer runs at less than its full width, by its class or a base of it."""


def elastic_layer(operation: keras.Operation) -> ElasticLayer | None:
    """Returns how an operation runs at less than its full width; None if it does so by itself."""
    return next((LAYERS[kind] for kind in type(operation).__mro__ if kind in LAYERS), None)
