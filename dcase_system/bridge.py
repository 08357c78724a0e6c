"""Networks in tf_keras, the only Keras whose layers TF-MOT wraps, and back.

Imports tf_keras, which takes seconds: import this module where it is needed.
"""

from collections.abc import Callable
from typing import Any

import keras
import tf_keras
from tensorflow_model_optimization.sparsity import keras as tfmot

from dcase_system.errors import InputError
from dcase_system.models.depthwise import depthwise_conv2d
from dcase_system.pruning.functional import nodes_in_order


@tf_keras.saving.register_keras_serializable("dcase_system")
class DepthwiseConv2D(tf_keras.layers.DepthwiseConv2D, tfmot.PrunableLayer):
    """tf_keras's layer, channels last, whose strides may differ on every device."""

    def call(self, inputs):
        outputs = depthwise_conv2d(
            inputs, self.depthwise_kernel, self.strides, self.padding, self.dilation_rate
        )
        if self.use_bias:
            outputs = tf_keras.backend.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def get_prunable_weights(self):
        """None, as TF-MOT has it for the layer that this is one of."""
        return []


_CONVOLUTION = ("kernel_size", "strides", "padding", "dilation_rate", "use_bias", "activation")
_POOLING = ("pool_size", "strides", "padding")
_BATCH_NORM = ("axis", "momentum", "epsilon", "center", "scale")
# Layers of ours in tf_keras: its class, and the part of the config that decides the computation.
_LAYERS: dict[str, tuple[type[tf_keras.layers.Layer], tuple[str, ...]]] = {
    "Conv2D": (tf_keras.layers.Conv2D, ("filters", "groups", *_CONVOLUTION)),
    "DepthwiseConv2D": (DepthwiseConv2D, ("depth_multiplier", *_CONVOLUTION)),
    "Dense": (tf_keras.layers.Dense, ("units", "use_bias", "activation")),
    "BatchNormalization": (tf_keras.layers.BatchNormalization, _BATCH_NORM),
    "FusedBatchNormalization": (tf_keras.layers.BatchNormalization, _BATCH_NORM),
    "ReLU": (tf_keras.layers.ReLU, ("max_value", "negative_slope", "threshold")),
    "Add": (tf_keras.layers.Add, ()),
    "ZeroPadding2D": (tf_keras.layers.ZeroPadding2D, ("padding",)),
    "AveragePooling2D": (tf_keras.layers.AveragePooling2D, _POOLING),
    "MaxPooling2D": (tf_keras.layers.MaxPooling2D, _POOLING),
    "GlobalAveragePooling2D": (tf_keras.layers.GlobalAveragePooling2D, ("keepdims",)),
    "Dropout": (tf_keras.layers.Dropout, ("rate",)),
}


def to_tf_keras(network: keras.Model) -> tf_keras.Model:
    """The same functional network with the same weights in tf_keras.

    Raises:
        InputError: it has a layer that has no counterpart here.
    """
    tensors: dict[int, Any] = {
        id(tensor): tf_keras.Input(tensor.shape[1:], name=tensor.name) for tensor in network.inputs
    }
    inputs, layers = list(tensors.values()), dict[str, tf_keras.layers.Layer]()
    for node in nodes_in_order(network):
        layer = node.operation
        if layer.name not in layers:
            layers[layer.name] = _counterpart(layer)
        arguments, _ = node.arguments.fill_in(tensors)
        tensors[id(node.outputs[0])] = layers[layer.name](*arguments)
    outputs = [tensors[id(tensor)] for tensor in network.outputs]
    # Named, since a number of its own would get into the names of a file's tensors.
    bridged = tf_keras.Model(inputs, outputs, name="bridged")
    copy_weights(network, bridged)
    return bridged


class GivenLoss(tf_keras.losses.Loss):
    """A loss of (targets, logits) of ours.

    A plain function's targets are squeezed where they have an axis more than the logits, as those
    with the logits of teachers have.
    """

    def __init__(self, loss: Callable):
        super().__init__()
        self._loss = loss

    def call(self, y_true, y_pred):
        return self._loss(y_true, y_pred)


def copy_weights(source: Any, target: Any) -> None:
    """By the layers' names, pruning wrappers aside; both Keras order a layer's weights alike."""
    layers = {_inner(layer).name: _inner(layer) for layer in source.layers}
    for layer in target.layers:
        if layer.weights:
            layer.set_weights(layers[layer.name].get_weights())


def _counterpart(layer: keras.Layer) -> tf_keras.layers.Layer:
    if type(layer).__name__ not in _LAYERS:
        raise InputError(
            "layer has no counterpart in tf_keras",
            where=f"layer {layer.name}",
            expected=", ".join(_LAYERS),
            received=type(layer).__name__,
        )
    kind, keys = _LAYERS[type(layer).__name__]
    config = layer.get_config()
    return kind(name=layer.name, **{key: config[key] for key in keys})


def _inner(layer: Any) -> Any:
    """The layer in a pruning wrapper, or the layer itself."""
    return getattr(layer, "layer", layer)
