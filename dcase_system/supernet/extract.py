"""Copies weights between sub-networks and ordinary Keras models."""

import keras

from dcase_system.core.errors import InputError
from dcase_system.models.cnn10 import CNN10Spec, build_cnn10
from dcase_system.supernet.elastic import ElasticCNN10


def extract(supernet: ElasticCNN10, spec: CNN10Spec) -> keras.Model:
    """Extracts a sub-network as an ordinary network, with its weights and statistics.

    Its outputs equal the supernet's for `supernet.widths_of(spec)`; recalibrate its statistics
    first.

    Raises:
        InputError: The spec is not a sub-network of the supernet.
    """
    supernet.widths_of(spec)
    network = build_cnn10(spec)
    for layer in network.layers:
        for mine, full in _weights(layer, supernet):
            mine.assign(full[tuple(slice(size) for size in mine.shape)])
    return network


def load_largest(supernet: ElasticCNN10, network: keras.Model) -> None:
    """Copies an ordinary network's weights into the supernet, as its largest sub-network.

    Raises:
        InputError: The network has other layers or widths.
    """
    for layer in network.layers:
        for theirs, own in _weights(layer, supernet):
            if theirs.shape != own.shape:
                raise InputError(
                    "network is not the supernet's largest",
                    where=f"layer {layer.name}",
                    expected=tuple(own.shape),
                    received=tuple(theirs.shape),
                )
            own.assign(theirs)


def _weights(layer: keras.layers.Layer, supernet: ElasticCNN10):
    """Pairs each weight of an ordinary layer with that of the elastic layer of the same name."""
    if not layer.weights:
        return ()
    if layer.name not in supernet.parts:
        raise InputError(
            "layer is not in the supernet",
            where="supernet",
            expected=" | ".join(supernet.parts),
            received=layer.name,
        )
    return zip(layer.weights, supernet.parts[layer.name].weights, strict=True)
