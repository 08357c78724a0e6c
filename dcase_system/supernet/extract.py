"""Copies weights between sub-networks and ordinary Keras models."""

from collections.abc import Iterator
from typing import Any

import keras

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.supernet.elastic import ElasticNetwork


def extract(supernet: ElasticNetwork, spec: Any) -> keras.Model:
    """Extracts a sub-network as an ordinary network, with its weights and statistics.

    Its outputs equal the supernet's for `supernet.widths_of(spec)`; recalibrate its statistics
    first.

    Raises:
        InputError: The spec is not a sub-network of the supernet.
    """
    found, network = supernet.sub_network(spec), registry.build(spec)
    for layer in network.layers:
        for mine, full in _weights(layer, supernet, found.source(layer.name)):
            mine.assign(full[tuple(slice(size) for size in mine.shape)])
    return network


def load_largest(supernet: ElasticNetwork, network: keras.Model) -> None:
    """Copies an ordinary network's weights into the supernet, as its largest sub-network.

    Raises:
        InputError: The network has other layers or widths.
    """
    for layer in network.layers:
        for theirs, own in _weights(layer, supernet, layer.name):
            if theirs.shape != own.shape:
                raise InputError(
                    "network is not the supernet's largest",
                    where=f"layer {layer.name}",
                    expected=tuple(own.shape),
                    received=tuple(theirs.shape),
                )
            own.assign(theirs)


def _weights(layer: keras.layers.Layer, supernet: ElasticNetwork, name: str) -> Iterator[tuple]:
    """Pairs each weight of an ordinary layer with that of the supernet's layer of this name."""
    if not layer.weights:
        return iter(())
    if name not in supernet.parts:
        raise InputError(
            "layer is not in the supernet",
            where="supernet",
            expected=" | ".join(supernet.parts),
            received=name,
        )
    return zip(layer.weights, supernet.parts[name].weights, strict=True)
