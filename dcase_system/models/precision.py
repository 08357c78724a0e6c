"""Casts a trained network to the precision of the submission."""

import keras
import numpy as np

from dcase_system.models.graph.copies import copied_network


def cast_weights(network: keras.Model, precision: str) -> keras.Model:
    """Copies the network with every weight rounded to `float32` or `float16`.

    The copy still computes in float32, as TFLite does with float16 weights, so its predictions
    match those of the stored parameters.

    Args:
        network: Functional or built sequential model.
        precision: Precision of the weights.

    Raises:
        InputError: The model is neither, or a layer with weights cannot be copied.
    """
    copy = copied_network(network)
    copy.set_weights(
        [weight.astype(precision).astype(np.float32) for weight in network.get_weights()]
    )
    return copy
