"""Batch norm and ReLU put into the layers before them, as a `.tflite` file has them."""

from collections import Counter
from typing import Any

import keras
import numpy as np

from dcase_system.pruning.functional import nodes_in_order, rebuild

_KERNELS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)


def folded(network: keras.Model) -> keras.Model:
    """The same function, with fewer layers and weights of its own.

    A convolution or dense layer takes up the batch norm behind it, with the statistics of
    inference, and then a plain ReLU, if nothing else reads what is in between. Names are those of
    the convolutions.

    Args:
        network: functional.
    """
    chains = _chains(network)
    taken_up = {layer.name for chain in chains.values() for layer in chain}
    layers: dict[str, keras.Operation] = {}

    def call(operation, *args, **kwargs):
        if operation.name in taken_up:
            return args[0]
        if operation.name not in layers:
            layers[operation.name] = _copy(operation, chains.get(operation.name, []))
        return layers[operation.name](*args, **kwargs)

    result = rebuild(network, call)
    for layer in result.layers:
        if layer.weights:
            original = network.get_layer(layer.name)
            layer.set_weights(_weights(original, chains.get(layer.name, [])))
    return result


def _chains(network: keras.Model) -> dict[str, list[keras.layers.Layer]]:
    """What follows each layer with a kernel and can be put into it, by that layer's name."""
    nodes, readers = nodes_in_order(network), dict[int, list[Any]]()
    for node in nodes:
        for tensor in node.input_tensors:
            readers.setdefault(id(tensor), []).append(node)
    calls = Counter(node.operation.name for node in nodes)
    outputs = {id(tensor) for tensor in network.outputs}

    def only_reader(node: Any) -> Any:
        """The next layer, where no other and no output reads what is in between."""
        tensor = id(node.outputs[0])
        found = readers.get(tensor, [])
        alone = len(found) == 1 and tensor not in outputs and calls[found[0].operation.name] == 1
        return found[0] if alone else None

    chains = {}
    for node in nodes:
        layer = node.operation
        if not isinstance(layer, _KERNELS) or calls[layer.name] > 1 or not _is_linear(layer):
            continue
        chain, reader = [], only_reader(node)
        if reader and isinstance(reader.operation, keras.layers.BatchNormalization):
            chain.append(reader.operation)
            reader = only_reader(reader)
        if reader and _is_relu(reader.operation):
            chain.append(reader.operation)
        chains[layer.name] = chain
    return chains


def _copy(layer: keras.Operation, chain: list[keras.layers.Layer]) -> keras.Operation:
    if not isinstance(layer, keras.layers.Layer):
        return layer  # a function without weights
    config = layer.get_config()
    if any(isinstance(link, keras.layers.BatchNormalization) for link in chain):
        config["use_bias"] = True
    if any(isinstance(link, keras.layers.ReLU) for link in chain):
        config["activation"] = "relu"
    return type(layer).from_config(config)


def _weights(layer: keras.layers.Layer, chain: list[keras.layers.Layer]) -> list[np.ndarray]:
    """Kernel and bias with the batch norm of the chain in them."""
    if not chain or not isinstance(norm := chain[0], keras.layers.BatchNormalization):
        return layer.get_weights()
    kernel, *bias = layer.get_weights()
    mean, variance = np.asarray(norm.moving_mean), np.asarray(norm.moving_variance)
    factor = 1.0 / np.sqrt(variance + norm.epsilon)
    if norm.scale:
        factor = factor * np.asarray(norm.gamma)
    offset = ((bias[0] if bias else 0.0) - mean) * factor
    if norm.center:
        offset = offset + np.asarray(norm.beta)
    # A depthwise kernel has its channels before the (single) multiplier.
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    by = factor.reshape(kernel.shape[-2:]) if depthwise else factor
    return [kernel * by, offset]


def _is_linear(layer: keras.layers.Layer) -> bool:
    return layer.activation is keras.activations.linear


def _is_relu(layer: keras.layers.Layer) -> bool:
    return (
        isinstance(layer, keras.layers.ReLU)
        and layer.max_value is None
        and not layer.negative_slope
        and not layer.threshold
    )
