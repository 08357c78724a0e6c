"""The calls that a network makes of its layers, with their shapes: what PyTorch's hooks show."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import keras
import tensorflow as tf

from dcase_system.core.errors import InputError

_patched = threading.RLock()


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer.

    Attributes:
        layer: that was called.
        inputs: shapes of its inputs, without the batch.
        outputs: shape of its first output, without the batch.
        times: how often it runs, more than once within `TimeDistributed`.
    """

    layer: keras.Layer
    inputs: tuple[tuple[int | None, ...], ...]
    outputs: tuple[int | None, ...]
    times: int = 1


def traced_calls(model: keras.Layer, inputs=None) -> list[Call]:
    """Every call of a layer, nested ones too, while a network runs on one clip.

    The network is traced, not computed. A recurrent layer is one call: its cell is not shown.

    Args:
        model: built.
        inputs: structure of `keras.KerasTensor`; by default those the network was built for.

    Raises:
        InputError: the input shape is unknown, or the network uses weights of no layer.
    """
    specs = keras.tree.map_structure(
        lambda tensor: tf.TensorSpec((tensor.shape[0] or 1, *tensor.shape[1:]), tensor.dtype),
        _inputs_of(model) if inputs is None else inputs,
    )
    calls: list[Call] = []
    with _recording(calls):
        # The first argument is the whole structure, as a model takes it.
        graph = tf.function(model, autograph=False).get_concrete_function(specs).graph
    _check_variables(model, graph.variables, calls)
    return [inner for call in calls for inner in _unwrapped(call)]


def _inputs_of(model: keras.Layer):
    if not isinstance(model, keras.Model) or not model.built:
        inputs = None
    elif isinstance(model, keras.Sequential):
        inputs = model.inputs[0]
    elif hasattr(model, "_nodes_by_depth"):  # functional: a class that Keras does not export
        inputs = model.input
    else:
        shape = (model.get_build_config() or {}).get("input_shape")
        sizes = shape if isinstance(shape, list | tuple) else ()
        is_one = bool(sizes) and all(size is None or isinstance(size, int) for size in sizes)
        inputs = keras.KerasTensor(tuple(sizes)) if is_one else None
    if inputs is None:
        raise InputError(
            "has no input shape, so its cost has none",
            where=f"network {model.name}",
            expected="a network that begins with keras.Input",
        )
    for tensor in keras.tree.flatten(inputs):
        if None in tensor.shape[1:]:
            raise InputError(
                "takes inputs of any size, so its cost has none",
                where=f"network {model.name}",
                expected="a known input shape (the .json of a network's spec names one)",
                received=tuple(tensor.shape[1:]),
            )
    return inputs


@contextmanager
def _recording(calls: list[Call]) -> Iterator[None]:
    """Notes every call of a layer; Keras has no hooks for it, as PyTorch has."""
    original = keras.Layer.__call__
    recorder, inside = threading.get_ident(), 0

    def recorded(layer, *args, **kwargs):
        nonlocal inside
        if threading.get_ident() != recorder:
            return original(layer, *args, **kwargs)
        # What these layers run within is part of one call of theirs.
        whole = isinstance(layer, keras.layers.RNN | keras.layers.TimeDistributed)
        inside += whole
        try:
            outputs = original(layer, *args, **kwargs)
        finally:
            inside -= whole
        if not inside:
            # A recurrent layer may be given its sequences by name, behind their initial state.
            inputs = _shapes((args, kwargs.get("sequences"), kwargs))
            calls.append(Call(layer, inputs, (*_shapes(outputs), ())[0]))
        return outputs

    with _patched:
        keras.Layer.__call__ = recorded
        try:
            yield
        finally:
            keras.Layer.__call__ = original


def _shapes(structure) -> tuple[tuple[int | None, ...], ...]:
    tensors = (value for value in keras.tree.flatten(structure) if hasattr(value, "shape"))
    return tuple(tuple(tensor.shape[1:]) for tensor in tensors)


def _unwrapped(call: Call) -> Iterator[Call]:
    """What `TimeDistributed` calls, as often as it does."""
    if not isinstance(call.layer, keras.layers.TimeDistributed):
        yield call
        return
    frames, *shape = call.inputs[0]
    if frames is None:
        raise InputError("runs over an unknown number of frames", where=f"layer {call.layer.name}")
    for inner in traced_calls(call.layer.layer, keras.KerasTensor((1, *shape))):
        yield replace(inner, times=inner.times * frames)


def _check_variables(model: keras.Layer, used, calls: list[Call]) -> None:
    known = [*model.variables, *(own for call in calls for own in call.layer.variables)]
    owned = {id(variable.value) for variable in known}
    strangers = [variable for variable in used if id(variable) not in owned]
    if strangers:
        size = sum(math.prod(variable.shape) for variable in strangers)
        raise InputError(
            "uses weights that belong to no layer, so they cannot be counted",
            where=f"network {model.name}",
            expected="layers that make their weights by add_weight",
            received=f"{len(strangers)} variables of {size} numbers",
        )
