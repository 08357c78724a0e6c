"""Checks whether a rebuilt layer equals the original; finds what a `get_config` leaves out."""

import functools
import types
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcase_system.models.graph.configs import OBJECTS, is_of_keras

_CODE = (types.FunctionType, types.MethodType, functools.partial)
# Objects that a layer may keep from a call.
_OF_RUNNING = (tf.Tensor, keras.KerasTensor, keras.random.SeedGenerator)
_PARTED = (dict, list, tuple, *_CODE)
# Attributes that Keras keeps in every layer: calls, weights (which are copied), place in a model.
_KEPT_BY_KERAS = {
    *vars(keras.layers.Layer(name="any")),
    *vars(keras.Sequential([keras.layers.Identity(name="any")], name="any")),
    *vars(keras.Model(inputs := keras.Input((1,), name="any"), inputs, name="any")),
} - {"activity_regularizer", "autocast", "_dtype_policy", "_supports_masking"}


def first_difference(mine: Any, its: Any) -> str | None:
    """Path of an object's first attribute that differs in another object, or None.

    Functions are equal if their code and closures are. Values of Keras's weights and random seeds
    are ignored, as are names of inner layers.
    """
    return _difference(mine, its, "", {})


def _difference(mine: Any, its: Any, path: str, seen: dict[tuple[int, int], Any]) -> str | None:
    if mine is its or (id(mine), id(its)) in seen:
        return None
    if isinstance(mine, _OF_RUNNING) or isinstance(its, _OF_RUNNING):
        return None
    seen[id(mine), id(its)] = mine, its  # kept alive, so that their ids are not reused
    if type(mine) is not type(its):
        return path
    if isinstance(mine, keras.Variable):
        return path if mine.shape != its.shape else None
    if isinstance(mine, np.ndarray | tf.Variable):
        return None if np.array_equal(mine, its) else path
    if isinstance(mine, type) or not (isinstance(mine, _PARTED) or hasattr(mine, "__dict__")):
        return None if mine == its else path
    parts, others = _parts(mine), _parts(its)
    if isinstance(mine, dict | list | tuple) and parts.keys() != others.keys():
        return path
    for name, part in parts.items():
        inner = path if isinstance(mine, _CODE) else f"{path}.{name}".strip(".")
        if name not in others:
            return inner
        found = _difference(part, others[name], inner, seen)
        if found is not None:
            return found
    return None


def _parts(value: Any) -> dict:
    """Parts of an object, by name."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    if isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return {"code": value.__code__, "defaults": value.__defaults__, "cells": cells}
    if isinstance(value, types.MethodType):
        return {"function": value.__func__, "object": value.__self__}
    if isinstance(value, functools.partial):
        return {"function": value.func, "arguments": value.args, "keywords": value.keywords}
    held = {name: part for name, part in vars(value).items() if "seed" not in name}
    if isinstance(value, keras.layers.Layer):
        held = {name: part for name, part in held.items() if _tells(value, name)}
        held["layers"] = value._layers
    return held


def _tells(layer: keras.layers.Layer, name: str) -> bool:
    """Whether a layer's attribute affects its computation and may be missing from its config."""
    # Configs of Keras's layers include everything but a user's objects.
    if is_of_keras(layer) and not isinstance(layer, keras.layers.Lambda):
        return name.endswith(OBJECTS)
    passing = name.startswith(("_self_", "_auto_config")) or "input_shape" in name
    return not passing and name not in _KEPT_BY_KERAS
