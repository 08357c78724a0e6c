"""Folds batch norm and ReLU into the layers before them, as a `.tflite` file has them."""

from collections import Counter
from typing import Any

import keras
import numpy as np

from dcase_system.models import layers as own
from dcase_system.models.graph.copies import Configs, copied, copy_configs, copy_state
from dcase_system.models.graph.functional import as_functional, nodes_in_order, replaced

# Exact types: a subclass may compute something else.
_KERNELS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    own.DepthwiseConv2D,
    keras.layers.Dense,
)
_NORMS = (keras.layers.BatchNormalization, own.FusedBatchNormalization)


def folded(network: keras.Model) -> keras.Model:
    """Returns a network for the same function, with fewer layers and its own weights.

    A convolution or dense layer absorbs the batch norm after it, with inference statistics, and
    then a plain ReLU, if nothing else reads the tensors in between. Merged layers are named after
    the convolutions. A layer without weights that no config describes, such as a `Lambda`, is
    reused as it is.

    Args:
        network: Functional network.

    Raises:
        InputError: The network is not functional, or a layer with weights cannot be copied.
    """
    network = as_functional(network)
    configs = copy_configs(network)
    chains = _chains(network)
    taken_up = {layer.name for chain in chains.values() for layer in chain}

    def make(operation: Any) -> keras.Operation | None:
        if operation.name in taken_up:
            return None
        return _copy(operation, configs, chains.get(operation.name, []))

    result, copies = replaced(network, make)
    for name, copy in copies.items():
        if chains.get(name):
            copy.set_weights(_weights(network.get_layer(name), chains[name]))
        elif isinstance(copy, keras.Layer) and copy is not network.get_layer(name):
            copy_state(network.get_layer(name), copy)
    return result


def _chains(network: keras.Model) -> dict[str, list[keras.layers.Layer]]:
    """Finds the layers to fold into each layer with a kernel, by that layer's name."""
    nodes, readers = nodes_in_order(network), dict[int, list[Any]]()
    for node in nodes:
        for tensor in node.input_tensors:
            readers.setdefault(id(tensor), []).append(node)
    calls = Counter(node.operation.name for node in nodes)
    outputs = {id(tensor) for tensor in network.outputs}

    def only_reader(node: Any) -> Any:
        """Returns the next layer if no other layer and no output reads the tensor in between."""
        tensor = id(node.outputs[0])
        found = readers.get(tensor, [])
        alone = len(found) == 1 and tensor not in outputs and calls[found[0].operation.name] == 1
        return found[0] if alone else None

    chains = {}
    for node in nodes:
        layer = node.operation
        if type(layer) not in _KERNELS or calls[layer.name] > 1 or not _is_linear(layer):
            continue
        chain, reader = [], only_reader(node)
        if reader and _is_channel_norm(reader):
            chain.append(reader.operation)
            reader = only_reader(reader)
        if reader and _is_relu(reader.operation):
            chain.append(reader.operation)
        chains[layer.name] = chain
    return chains


def _copy(operation: Any, configs: Configs, chain: list[keras.layers.Layer]) -> Any:
    config = configs.get(operation.name)
    if config is None:
        return operation  # a function, or a layer without weights
    changes: dict[str, Any] = {}
    if any(type(link) in _NORMS for link in chain):
        changes["use_bias"] = True
    if any(type(link) is keras.layers.ReLU for link in chain):
        changes["activation"] = keras.activations.relu
    return copied(operation, {**config, **changes})


def _weights(layer: keras.layers.Layer, chain: list[keras.layers.Layer]) -> list[np.ndarray]:
    """Returns kernel and bias with the chain's batch norm folded in."""
    norm = chain[0]
    if type(norm) not in _NORMS:
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
    channels_last = getattr(layer, "data_format", "channels_last") == "channels_last"
    return channels_last and layer.activation is keras.activations.linear


def _is_channel_norm(node: Any) -> bool:
    """Whether a call applies a batch norm along the last axis, with its statistics."""
    if type(node.operation) not in _NORMS or node.arguments.kwargs.get("training"):
        return False
    return node.operation.axis in (-1, len(node.outputs[0].shape) - 1)


def _is_relu(layer: keras.layers.Layer) -> bool:
    return (
        type(layer) is keras.layers.ReLU
        and layer.max_value is None
        and not layer.negative_slope
        and not layer.threshold
    )
