"""Recomputes batch-norm statistics from training examples."""

from collections.abc import Iterable

import keras
import numpy as np


def recalibrate(network: keras.Model, batches: Iterable[np.ndarray]) -> None:
    """Replaces the moving statistics by means over batches; weights do not change.

    Moving statistics need some hundred steps to forget their initial values. Each layer normalises
    with the statistics of the current batch, and stores the means of these over all batches,
    weighted by the number of examples.

    Args:
        network: Functional model.
        batches: Features of training examples, (batch, ...).
    """
    layers = [
        layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    momenta, seen = [layer.momentum for layer in layers], 0
    for batch in batches:
        for layer in layers:
            layer.momentum = seen / (seen + len(batch))  # the first batch replaces the old ones
        network(batch, training=True)
        seen += len(batch)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
