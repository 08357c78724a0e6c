"""Converts networks to tf_keras, the only Keras whose layers TF-MOT wraps, and back.

Importing tf_keras takes seconds: import this module late. AutoGraph is disabled:
nothing here needs it, and it takes most of a minute to convert a network's layers and its step.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.sparsity import keras as tfmot

from dcase_system.core.errors import InputError
from dcase_system.models import layers as own
from dcase_system.models.depthwise import depthwise_conv2d
from dcase_system.models.graph.configs import config_of
from dcase_system.models.graph.functional import as_functional, nodes_in_order
from dcase_system.parallel import replicas


@tf_keras.saving.register_keras_serializable("dcase_system")
class DepthwiseConv2D(tf_keras.layers.DepthwiseConv2D, tfmot.PrunableLayer):
    """tf_keras's layer, channels last, with strides that may differ by axis on every device."""

    def call(self, inputs):
        outputs = depthwise_conv2d(
            inputs, self.depthwise_kernel, self.strides, self.padding, self.dilation_rate
        )
        if self.use_bias:
            outputs = tf_keras.backend.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def get_prunable_weights(self):
        """Returns no weights, as TF-MOT does for the parent class."""
        return []


_CONVOLUTION = ("kernel_size", "strides", "padding", "dilation_rate", "use_bias")
_POOLING = ("pool_size", "strides", "padding")
_BATCH_NORM = ("axis", "momentum", "epsilon", "center", "scale")
# Our layers, with their tf_keras classes and the config keys that determine the computation.
# Subclasses are excluded: they may compute something else, whatever their name.
_LAYERS: dict[type, tuple[type[tf_keras.layers.Layer], tuple[str, ...]]] = {
    keras.layers.Conv2D: (tf_keras.layers.Conv2D, ("filters", "groups", *_CONVOLUTION)),
    keras.layers.DepthwiseConv2D: (DepthwiseConv2D, ("depth_multiplier", *_CONVOLUTION)),
    own.DepthwiseConv2D: (DepthwiseConv2D, ("depth_multiplier", *_CONVOLUTION)),
    keras.layers.Dense: (tf_keras.layers.Dense, ("units", "use_bias")),
    keras.layers.BatchNormalization: (tf_keras.layers.BatchNormalization, _BATCH_NORM),
    own.FusedBatchNormalization: (tf_keras.layers.BatchNormalization, _BATCH_NORM),
    keras.layers.ReLU: (tf_keras.layers.ReLU, ("max_value", "negative_slope", "threshold")),
    keras.layers.Add: (tf_keras.layers.Add, ()),
    keras.layers.ZeroPadding2D: (tf_keras.layers.ZeroPadding2D, ("padding",)),
    keras.layers.AveragePooling2D: (tf_keras.layers.AveragePooling2D, _POOLING),
    keras.layers.MaxPooling2D: (tf_keras.layers.MaxPooling2D, _POOLING),
    keras.layers.GlobalAveragePooling2D: (tf_keras.layers.GlobalAveragePooling2D, ("keepdims",)),
    keras.layers.Dropout: (tf_keras.layers.Dropout, ("rate", "noise_shape")),
    replicas.Dropout: (tf_keras.layers.Dropout, ("rate", "noise_shape")),
}
_NOT_CARRIED = ("regularizer", "constraint")
# Activations that both Keras versions compute identically. A hard sigmoid, say, differs in slope.
_ACTIVATIONS = (
    *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "mish"),
    *("sigmoid", "tanh", "softplus", "softsign", "exponential", "softmax", "log_softmax"),
)


@tf.autograph.experimental.do_not_convert
def to_tf_keras(network: keras.Model) -> tf_keras.Model:
    """Converts a functional network to tf_keras, with the same weights.

    Raises:
        InputError: The network has a layer, activation or option without counterpart in tf_keras.
    """
    network = as_functional(network)
    tensors: dict[int, Any] = {
        id(tensor): tf_keras.Input(tensor.shape[1:], name=tensor.name) for tensor in network.inputs
    }
    inputs, layers = list(tensors.values()), dict[str, tf_keras.layers.Layer]()
    for node in nodes_in_order(network):
        layer = node.operation
        if layer.name not in layers:
            layers[layer.name] = _counterpart(layer)
        arguments, keywords = node.arguments.fill_in(tensors)
        tensors[id(node.outputs[0])] = layers[layer.name](*arguments, **keywords)
    outputs = [tensors[id(tensor)] for tensor in network.outputs]
    # Named explicitly: an automatic number would get into the names of a file's tensors.
    bridged = tf_keras.Model(inputs, outputs, name="bridged")
    copy_weights(network, bridged)
    return bridged


def compile_model(model: tf_keras.Model, optimizer: Any, loss: Callable) -> None:
    """Compiles a model for `fit` with one of our losses of (targets, logits)."""
    optimizer.build(model.trainable_variables)  # otherwise the first step is traced twice
    model.compile(optimizer, GivenLoss(loss))
    model.train_step = tf.autograph.experimental.do_not_convert(model.train_step)


class GivenLoss(tf_keras.losses.Loss):
    """Wraps a loss so that tf_keras leaves the targets unchanged.

    With a plain function, tf_keras squeezes targets that have one axis more than the logits, such
    as those packed with teacher logits.
    """

    def __init__(self, loss: Callable):
        super().__init__()
        self._loss = loss

    def call(self, y_true, y_pred):
        return self._loss(y_true, y_pred)


def copy_weights(source: Any, target: Any) -> None:
    """Copies weights by layer name, through pruning wrappers; both Keras order weights alike."""
    layers = {_inner(layer).name: _inner(layer) for layer in source.layers}
    for layer in target.layers:
        if layer.weights:
            layer.set_weights(layers[layer.name].get_weights())


def _counterpart(layer: keras.Layer) -> tf_keras.layers.Layer:
    if type(layer) not in _LAYERS:
        raise InputError(
            "layer has no counterpart in tf_keras",
            where=f"layer {layer.name}",
            expected=", ".join(dict.fromkeys(kind.__name__ for kind in _LAYERS)) + " of Keras",
            received=type(layer).__name__,
        )
    kind, keys = _LAYERS[type(layer)]
    config = config_of(layer)
    extra = [key for key in config if key.endswith(_NOT_CARRIED) and config[key] is not None]
    if extra or config.get("data_format", "channels_last") != "channels_last":
        raise InputError(
            "layer has options without counterpart in tf_keras",
            where=f"layer {layer.name}",
            expected="channels on the last axis, no regularizer and no constraint",
            received=", ".join(extra) or config["data_format"],
        )
    options = {key: config[key] for key in keys}
    if "activation" in config:
        options["activation"] = _activation(layer, config["activation"])
    return kind(name=layer.name, trainable=layer.trainable, **options)


def _activation(layer: keras.Layer, activation: Any) -> str:
    """tf_keras's name of a Keras activation function."""
    for name in _ACTIVATIONS:
        if getattr(keras.activations, name) is activation:
            return name
    raise InputError(
        "activation has no counterpart in tf_keras",
        where=f"layer {layer.name}",
        expected=f"Keras's {', '.join(_ACTIVATIONS)}",
        received=getattr(activation, "__name__", type(activation).__name__),
    )


def _inner(layer: Any) -> Any:
    """The layer inside a pruning wrapper, or the layer itself."""
    return getattr(layer, "layer", layer)
