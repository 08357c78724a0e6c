"""Sorts the channels of a network by importance; what the network computes stays the same."""

from collections.abc import Mapping

import keras
import numpy as np

from dcase_system.models.graph.read import read_graph


def order_channels(model: keras.Model, scores: Mapping[str, np.ndarray]) -> None:
    """Moves the most important channels of every group to its front, in place.

    A supernet's sub-networks use the first channels of each group: sorted, the narrow ones begin
    with the channels that matter (Cai et al., Once-for-All, ICLR 2020, section 3.3).

    Args:
        model: Network, see `read_graph`.
        scores: Importance (size,) by group; equally important channels keep their order.

    Raises:
        InputError: The network is not understood.
    """
    graph = read_graph(model)
    source = np.arange(len(graph.roots))  # the root whose channel takes the place of each root
    for name, roots in graph.members.items():
        source[roots] = roots[np.argsort(-np.asarray(scores[name]), kind="stable")]
    for layer in graph.layers.values():
        weights = layer.layer.get_weights()
        for (index, axis), ids in layer.axes.items():
            roots = graph.roots[ids]
            before = np.empty(len(roots), int)  # position of each channel until now
            before[np.argsort(source[roots], kind="stable")] = np.argsort(roots, kind="stable")
            weights[index] = np.take(weights[index], before, axis=axis)
        if layer.axes:
            layer.layer.set_weights(weights)
