"""TF-MOT's magnitude pruning through tf_keras, the only Keras its wrappers accept.

It sets single weights to zero. The network keeps its shape: what the rules since 2022 count stays,
and so does the time on a device without kernels for sparse weights; `complexity.sparsity` reports
that. Imports tf_keras, which takes seconds: import this module where it is needed.
"""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import tf_keras
from tensorflow_model_optimization.sparsity import keras as tfmot

from dcase_system.errors import InputError
from dcase_system.pruning.graph import nodes_in_order

_CONVOLUTION = ("kernel_size", "strides", "padding", "dilation_rate", "use_bias", "activation")
_POOLING = ("pool_size", "strides", "padding")
_BATCH_NORM = ("axis", "momentum", "epsilon", "center", "scale")
# Layers of ours in tf_keras: its class, and the part of the config that decides the computation.
_LAYERS: dict[str, tuple[type[tf_keras.layers.Layer], tuple[str, ...]]] = {
    "Conv2D": (tf_keras.layers.Conv2D, ("filters", "groups", *_CONVOLUTION)),
    "DepthwiseConv2D": (tf_keras.layers.DepthwiseConv2D, ("depth_multiplier", *_CONVOLUTION)),
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
    bridged = tf_keras.Model(inputs, [tensors[id(tensor)] for tensor in network.outputs])
    copy_weights(network, bridged)
    return bridged


def prune_magnitude(
    network: keras.Model,
    batches: Iterator,
    schedule: Callable,
    *,
    loss: Callable,
    epochs: int,
    steps_per_epoch: int,
    learning_rate: float,
    warmup: int = 0,
    weight_decay: float = 1e-4,
    two_of_four: bool = False,
    on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> None:
    """Trains a network while TF-MOT sets its smallest weights to zero; in place.

    The kernels of convolutions and dense layers are pruned, depthwise ones are not (TF-MOT's own
    choice). AdamW, linear warm-up, then a half cosine, as `training.fit` has them.

    Args:
        network: features to logits.
        batches: endless, of (features, targets).
        schedule: step to (whether to update, share of zeros), one of `schedules`.
        loss: of (targets, logits).
        epochs: of the training.
        steps_per_epoch: batches of an epoch.
        learning_rate: the highest.
        warmup: steps to it.
        weight_decay: decoupled.
        two_of_four: sets two of four neighbouring weights to zero, whatever the schedule's share.
        on_epoch: called with (epoch, loss) when the network has the weights of the epoch's end.

    Raises:
        InputError: the network has a layer that has no counterpart in tf_keras.
    """
    pattern = {"sparsity_m_by_n": (2, 4)} if two_of_four else {}
    wrapped = tfmot.prune_low_magnitude(to_tf_keras(network), pruning_schedule=schedule, **pattern)
    rate = tf_keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else learning_rate,
        epochs * steps_per_epoch - warmup,
        warmup_target=learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    optimizer = tf_keras.optimizers.AdamW(rate, weight_decay=weight_decay, epsilon=1e-8)
    wrapped.compile(optimizer, loss=lambda targets, logits: loss(targets, logits))

    def end_of_epoch(epoch: int, logs: dict[str, float]) -> None:
        copy_weights(wrapped, network)
        on_epoch(epoch + 1, logs["loss"])

    wrapped.fit(
        batches,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        # In this order: TF-MOT masks the weights once more at the end of an epoch.
        callbacks=[
            tfmot.UpdatePruningStep(),
            tf_keras.callbacks.LambdaCallback(on_epoch_end=end_of_epoch),
        ],
        verbose=0,
    )


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
