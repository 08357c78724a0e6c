"""Layer configs that hold functions and objects themselves."""

from typing import Any

import keras
import tensorflow as tf

# Values that replace an attribute's value while the config is written, by the end of its name.
_STAND_INS: dict[str, Any] = {
    "activation": keras.activations.linear,
    "initializer": keras.initializers.Zeros(),
    "regularizer": keras.regularizers.L2(0.0),
    "constraint": keras.constraints.NonNeg(),
}
OBJECTS = tuple(_STAND_INS)
"""Suffixes of attributes that hold an object which Keras serialises by name."""


def config_of(layer: keras.Layer) -> dict[str, Any]:
    """Returns a layer's config with activations, initializers, ... as objects, not names.

    Keras writes a function or an object into a config by its name, and on reading prefers its own
    object of that name: a user's function called `relu` would become Keras's. Others, such as a
    `functools.partial`, it cannot write at all.

    Raises:
        Exception: Whatever a user's `get_config` raises.
    """
    stand_ins = {
        name: stand_in
        for name, value in vars(layer).items()
        for end, stand_in in _STAND_INS.items()
        if value is not None and name.endswith(end) and not name.startswith("_")
    }
    double = object.__new__(type(layer))  # so that the layer itself is not touched
    vars(double).update(vars(layer), **stand_ins)
    config = double.get_config()
    for key in config:
        held = getattr(layer, key, None) if key.endswith(OBJECTS) else None
        if isinstance(held, keras.Layer) and not is_stateless(held):
            config[key] = keras.saving.serialize_keras_object(held)  # an activation with weights
        elif held is not None:
            config[key] = held
    return config


def is_of_keras(held: Any) -> bool:
    """Whether an object is of a Keras class, and not a function or closure."""
    return type(held).__module__.startswith("keras.")


def is_stateless(layer: keras.Layer, *, but_for_seeds: bool = False) -> bool:
    """Whether a layer has and will have no weights; nor random seeds, unless these are allowed."""
    layers = list(layer._flatten_layers())
    to_come = any(
        not inner.built and type(inner).build is not keras.Layer.build for inner in layers
    )
    unseen = any(isinstance(held, tf.Variable) for inner in layers for held in vars(inner).values())
    return not (layer.weights if but_for_seeds else layer.variables) and not to_come and not unseen
