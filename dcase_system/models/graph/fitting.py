"""Checks whether a layer's objects accept weights with fewer channels."""

from typing import Any

import keras
import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.models.graph.channels import LayerChannels
from dcase_system.models.graph.configs import is_of_keras


def check_fitting(channels: LayerChannels, keep_mask: np.ndarray) -> None:
    """Rejects regularizers and constraints that accept a weight only at its full size.

    Args:
        channels: Channels of the layer.
        keep_mask: (ids,) whether each id stays, in a trial.

    Raises:
        InputError: Such an object exists; the message names the layer.
    """
    for index, weight in enumerate(channels.layer.weights):
        shape = channels.shape_of(index, keep_mask)
        for kind in ("regularizer", "constraint"):
            held = getattr(weight, kind, None)
            if held is None or shape == tuple(weight.shape) or is_of_keras(held):
                continue
            result: object
            try:
                result = np.shape(held(keras.ops.ones(shape, weight.dtype)))
            except Exception as error:  # noqa: BLE001 (a user's object may raise anything)
                result = type(error).__name__
            if result != (shape if kind == "constraint" else ()):
                raise InputError(
                    f"has a {kind} that does not take fewer channels",
                    where=f"layer {channels.layer.name}",
                    expected=f"one for a {weight.name} of any shape",
                    received=type(held).__name__,
                )


def fitting(
    config: dict[str, Any], channels: LayerChannels, keep_mask: np.ndarray
) -> dict[str, Any]:
    """Drops the initializers from a config that cannot make the layer's smaller weights.

    Args:
        config: Config of the layer, with initializers as objects.
        channels: Channels of the layer.
        keep_mask: (ids,) whether each id stays.
    """
    return {
        key: value
        for key, value in config.items()
        if not key.endswith("_initializer") or _makes(value, key, channels, keep_mask)
    }


def _makes(initializer: Any, key: str, channels: LayerChannels, keep_mask: np.ndarray) -> bool:
    weight = _weight_of(key, channels.layer)
    if weight is None:
        return True
    shape = channels.shape_of(channels.index_of(weight), keep_mask)
    drawn = is_of_keras(initializer) and not isinstance(initializer, keras.initializers.Constant)
    if shape == tuple(weight.shape) or drawn:
        return True
    try:
        return tuple(initializer(shape, dtype=weight.dtype).shape) == shape
    except Exception:  # noqa: BLE001 (a user's object may raise anything)
        return False


def _weight_of(key: str, layer: keras.Layer) -> keras.Variable | None:
    """The weight that an initializer in a config creates."""
    name = key.removesuffix("_initializer")
    names = [name, f"{name}_kernel"]  # the second for separable convolutions
    if name == "depthwise":
        names.append("kernel")
    return next(
        (found for name in names if (found := getattr(layer, name, None)) is not None), None
    )
