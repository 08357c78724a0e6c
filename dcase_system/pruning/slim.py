"""Removing channels for good: a smaller network of the same layers."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from dcase_system.pruning.channels import LayerChannels
from dcase_system.pruning.graph import ChannelGraph, read_graph, rebuild
from dcase_system.pruning.mask_layer import ChannelMask


def slim(model: keras.Model, kept: Mapping[str, np.ndarray]) -> keras.Model:
    """A copy of a network without the channels that are not kept; the network stays as it is.

    Layers keep their names, configs, precision and trainable flags; weights are cut to the channels
    that stay. Channel masks are left out. The copy is functional and not compiled.

    Args:
        model: see `read_graph`.
        kept: (channels that stay,) positions in a group, by the group's name; others stay whole.

    Raises:
        InputError: the network is not understood, a group is unknown or would be empty.
    """
    graph = read_graph(model)
    alive = graph.alive(kept)
    copies: dict[str, keras.Layer] = {}

    def call(operation, *args, **kwargs):
        if isinstance(operation, ChannelMask):
            return args[0]
        if not isinstance(operation, keras.Layer):
            return operation(*args, **kwargs)
        if operation.name not in copies:
            copies[operation.name] = _smaller(operation, graph, alive)
        return copies[operation.name](*args, **kwargs)

    smaller = rebuild(graph.model, call)
    smaller.trainable = graph.model.trainable
    for layer in graph.model.layers:
        if layer.name in copies:
            copies[layer.name].set_weights(_weights(layer, graph.layers.get(layer.name), alive))
            _copy_flags(layer, copies[layer.name])
    return smaller


def _smaller(layer: keras.Layer, graph: ChannelGraph, alive: np.ndarray) -> keras.Layer:
    """The layer with the sizes of what stays, without its weights."""
    config: dict[str, Any] = layer.get_config()
    channels = graph.layers.get(layer.name)
    for (key, entry), ids in channels.sizes.items() if channels else ():
        size = int(alive[ids].sum())
        if entry is None:
            config[key] = size
        else:
            config[key] = [*config[key][:entry], size, *config[key][entry + 1 :]]
    return type(layer).from_config(config)


def _weights(
    layer: keras.Layer, channels: LayerChannels | None, alive: np.ndarray
) -> list[np.ndarray]:
    weights = layer.get_weights()
    for (index, axis), ids in channels.axes.items() if channels else ():
        weights[index] = np.compress(alive[ids], weights[index], axis=axis)
    return weights


def _copy_flags(layer: keras.Layer, copy: keras.Layer) -> None:
    copy.trainable = layer.trainable
    for mine, its in zip(layer._layers, copy._layers, strict=True):
        _copy_flags(mine, its)
