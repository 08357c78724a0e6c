"""Importance of each channel of a group.

A channel's importance is the mean of its own filters' measures over the group's members (producers
and depthwise layers). The definitions are those of NNI 3.0's pruners (L1, L2, FPGM, Taylor) and
of its dependency groups; biases and batch norms do not take part.
"""

from collections.abc import Callable, Iterable

import keras
import numpy as np
import tensorflow as tf

from dcase_system.models.graph.read import ChannelGraph, read_graph

Importance = dict[str, np.ndarray]


def l1_importance(model: keras.Model) -> Importance:
    """Sum of each filter's absolute weights; an array (size,) for each group, keyed by name."""
    return _of_filters(read_graph(model), lambda filters: np.abs(filters).sum(axis=1))


def l2_importance(model: keras.Model) -> Importance:
    """Euclidean norm of each filter."""
    return _of_filters(read_graph(model), lambda filters: np.linalg.norm(filters, axis=1))


def fpgm_importance(model: keras.Model) -> Importance:
    """Sum of the Euclidean distances from each filter to all filters of its layer.

    He et al., Filter Pruning via Geometric Median, CVPR 2019.
    """
    return _of_filters(read_graph(model), _distances)


def taylor_importance(
    model: keras.Model,
    batches: Iterable[tuple],
    loss: Callable,
) -> Importance:
    """First-order Taylor expansion: mean over batches of (weight * gradient)², summed per filter.

    Molchanov et al., Importance Estimation for Neural Network Pruning, CVPR 2019. The network runs
    in inference mode, so nothing in it changes; NNI uses the gradients of training steps. With the
    unmasked network, hidden channels have gradients too and may come back.

    Args:
        model: Network to measure.
        batches: Batches of (inputs, targets).
        loss: Function of (targets, outputs) that returns a scalar or one number per clip.
    """
    graph = read_graph(model)
    variables = {
        (name, key): layer.layer.weights[key[0]].value
        for name, layer in graph.layers.items()
        for key in layer.filters
    }

    @tf.function(reduce_retracing=True)
    def products(inputs, targets):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(list(variables.values()))
            value = tf.reduce_mean(loss(targets, graph.model(inputs, training=False)))
        gradients = tape.gradient(
            value, list(variables.values()), unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return [
            tf.square(variable * gradient)
            for variable, gradient in zip(variables.values(), gradients, strict=True)
        ]

    sums, count = [0.0] * len(variables), 0
    for inputs, targets in batches:
        found = products(tf.convert_to_tensor(inputs), tf.convert_to_tensor(targets))
        sums = [total + value.numpy() for total, value in zip(sums, found, strict=True)]
        count += 1
    if not count:
        raise ValueError("expected at least one batch, received none")
    means = {key: total / count for key, total in zip(variables, sums, strict=True)}
    return _of_values(graph, means, lambda filters: filters.sum(axis=1))


def _of_filters(graph: ChannelGraph, measure: Callable[[np.ndarray], np.ndarray]) -> Importance:
    values = {
        (name, key): keras.ops.convert_to_numpy(layer.layer.weights[key[0]])
        for name, layer in graph.layers.items()
        for key in layer.filters
    }
    return _of_values(graph, values, measure)


def _of_values(
    graph: ChannelGraph, values: dict, measure: Callable[[np.ndarray], np.ndarray]
) -> Importance:
    """Averages a measure of each channel's filters over the group's members.

    Args:
        graph: Graph of the network.
        values: Arrays in the shape of a weight, keyed by (layer, key of its filters).
        measure: Function from (filters, values per filter) to (filters,).
    """
    total, members = np.zeros(len(graph.roots)), np.zeros(len(graph.roots))
    for (name, key), array in values.items():
        roots = graph.roots[graph.layers[name].axes[key]]
        filters = np.moveaxis(array, key[1], 0).reshape(len(roots), -1).astype(np.float64)
        count = np.bincount(roots, minlength=len(total))
        measured = np.bincount(roots, weights=measure(filters), minlength=len(total))
        total += measured / np.maximum(count, 1)
        members += count > 0
    return {name: total[roots] / members[roots] for name, roots in graph.members.items()}


def _distances(filters: np.ndarray) -> np.ndarray:
    squares = (filters**2).sum(axis=1)
    squared = squares[:, None] + squares[None, :] - 2 * filters @ filters.T
    np.fill_diagonal(squared, 0.0)
    return np.sqrt(np.maximum(squared, 0.0)).sum(axis=1)
