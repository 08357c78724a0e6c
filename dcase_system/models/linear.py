"""A linear classifier of embeddings, which their front end computes with a network from a file."""

from dataclasses import dataclass

import keras

from dcase_system.models.layers import FusedBatchNormalization, PowerNormalization

EMBEDDING_NORM = "embedding_bn"
"""Name of the batch norm before a classifier of embeddings, YAMNet's included."""


@dataclass(frozen=True)
class LinearSpec:
    """Spec of the classifier.

    Attributes:
        input_shape: (values of the embedding, 1).
        classes: Number of logits.
    """

    input_shape: tuple[int, int]
    classes: int = 10


def build_linear(spec: LinearSpec) -> keras.Model:
    """Builds the network: (batch, values, 1, 1) embeddings to (batch, classes) logits.

    Values of an embedding differ in scale by far, hence the square root and the batch norm. Short
    lists have fewer clips than an embedding has values: random weights would stay what they are in
    all directions that no training clip has, and add noise to every answer, so they start at zero.
    """
    inputs = keras.Input((*spec.input_shape, 1), name="embedding")
    x = keras.layers.Reshape((1, 1, spec.input_shape[0]), name="as_channels")(inputs)
    x = PowerNormalization(name="embedding_root")(x)
    x = FusedBatchNormalization(name=EMBEDDING_NORM)(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(
        inputs,
        keras.layers.Dense(spec.classes, kernel_initializer="zeros", name="logits")(x),
        name="linear",
    )
