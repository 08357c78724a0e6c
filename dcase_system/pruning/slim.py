"""Removes channels permanently: a smaller network of the same layers."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from dcase_system.models.graph.channels import LayerChannels
from dcase_system.models.graph.copies import copied, copy_state
from dcase_system.models.graph.fitting import fitting
from dcase_system.models.graph.functional import replaced
from dcase_system.models.graph.mask_layer import ChannelMask
from dcase_system.models.graph.read import ChannelGraph, read_graph


def slim(model: keras.Model, keep_indices: Mapping[str, np.ndarray]) -> keras.Model:
    """Copies a network without the channels that are not kept; the original does not change.

    Layers keep their names, precision, trainable flags and configs, including functions and objects
    in these; weights are cut to the kept channels. Channel masks are left out. The copy is
    functional and not compiled. It shares no weight with the original, but may share a layer
    without weights, such as a `Lambda`. An initializer that cannot make the smaller weights is
    replaced by its layer's default.

    Args:
        model: Network, see `read_graph`.
        keep_indices: (kept channels,) positions in a group, by group name; others stay complete.

    Raises:
        InputError: The network is not understood, or a group is unknown or would be empty.
    """
    graph = read_graph(model)
    keep_mask = graph.keep_mask(keep_indices)
    smaller, copies = replaced(graph.model, lambda operation: _smaller(operation, graph, keep_mask))
    layers = [layer for layer in graph.model.layers if layer.name in copies]
    flags = [_flags(layer) for layer in layers]
    smaller.trainable = graph.model.trainable
    for layer, trainable in zip(layers, flags, strict=True):
        copy = copies[layer.name]
        _set_flags(copy, trainable)
        if copy is not layer:
            _fill(copy, layer, graph.layers.get(layer.name), keep_mask)
    return smaller


def _smaller(operation: Any, graph: ChannelGraph, keep_mask: np.ndarray) -> Any:
    """Copies an operation with reduced sizes, without its weights."""
    if isinstance(operation, ChannelMask):
        return None
    channels, config = graph.layers.get(operation.name), graph.configs.get(operation.name)
    if channels is None or config is None:
        return copied(operation, config)
    config = fitting(config, channels, keep_mask)
    for (key, entry), ids in channels.sizes.items():
        size = int(keep_mask[ids].sum())
        if entry is None:
            config[key] = size
        else:
            config[key] = [*config[key][:entry], size, *config[key][entry + 1 :]]
    return copied(operation, config)


def _fill(
    copy: keras.Layer, layer: keras.Layer, channels: LayerChannels | None, keep_mask: np.ndarray
) -> None:
    """Sets a copy's weights to those of its layer, cut to the kept channels."""
    if channels is None:
        copy_state(layer, copy)
        return
    weights = layer.get_weights()
    for (index, axis), ids in channels.axes.items():
        weights[index] = np.compress(keep_mask[ids], weights[index], axis=axis)
    copy.set_weights(weights)


def _flags(layer: keras.Layer) -> tuple:
    """Trainable flags of a layer and of the layers inside it."""
    return layer.trainable, [_flags(inner) for inner in layer._layers]


def _set_flags(layer: keras.Layer, flags: tuple) -> None:
    layer.trainable, within = flags
    for inner, its in zip(layer._layers, within, strict=True):
        _set_flags(inner, its)
