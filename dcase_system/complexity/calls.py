"""Records a network's layer calls and their shapes, as PyTorch's hooks would."""

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
        layer: Called layer.
        inputs: Shapes of its inputs, without the batch.
        outputs: Shape of its first output, without the batch.
        times: Number of runs; more than one within `TimeDistributed`.
    """

    layer: keras.Layer
    inputs: tuple[tuple[int | None, ...], ...]
    outputs: tuple[int | None, ...]
    times: int = 1


def traced_calls(model: keras.Layer, inputs=None) -> list[Call]:
    """Records every layer call, including nested ones, while a network runs on one clip.

    The network is traced, not computed. A recurrent layer is one call: its cell is not recorded.

    Args:
        model: Built model.
        inputs: Structure of `keras.KerasTensor`; by default the inputs the network was built for.

    Raises:
        InputError: The input shape is unknown, or the network uses weights that belong to no layer.
    """
    specs = keras.tree.map_structure(
        lambda tensor: tf.TensorSpec((tensor.shape[0] or 1, *tensor.shape[1:]), tensor.dtype),
        _inputs_of(model) if inputs is None else inputs,
    )
    calls: list[Call] = []
    with _recording(calls):
        # The first argument is the complete input structure, as a model takes it.
        graph = tf.function(model, autograph=False).get_concrete_function(specs).graph
    _check_variables(model, graph.variables, calls)
    return [inner for call in calls for inner in _unwrapped(call)]


def _inputs_of(model: keras.Layer):
    if not isinstance(model, keras.Model) or not model.built:
        inputs = None
    elif isinstance(model, keras.Sequential):
        inputs = model.inputs[0]
    elif hasattr(model, "_nodes_by_depth"):  # functional, a class that Keras does not export
        inputs = model.input
    else:
        shape = (model.get_build_config() or {}).get("input_shape")
        sizes = shape if isinstance(shape, list | tuple) else ()
        is_one = bool(sizes) and all(size is None or isinstance(size, int) for size in sizes)
        inputs = keras.KerasTensor(tuple(sizes)) if is_one else None
    if inputs is None:
        raise InputError(
            "has no input shape, so it cannot be counted",
            where=f"network {model.name}",
            expected="a network that starts with keras.Input",
        )
    for tensor in keras.tree.flatten(inputs):
        if None in tensor.shape[1:]:
            raise InputError(
                "takes inputs of any size, so it cannot be counted",
                where=f"network {model.name}",
                expected="a known input shape (the .json of a network's spec has one)",
                received=tuple(tensor.shape[1:]),
            )
    return inputs


@contextmanager
def _recording(calls: list[Call]) -> Iterator[None]:
    """Records every layer call; unlike PyTorch, Keras has no hooks for it."""
    original = keras.Layer.__call__
    recorder, inside = threading.get_ident(), 0

    def recorded(layer, *args, **kwargs):
        nonlocal inside
        if threading.get_ident() != recorder:
            return original(layer, *args, **kwargs)
        # Layers that run inside these belong to one call of the outer layer.
        whole = isinstance(layer, keras.layers.RNN | keras.layers.TimeDistributed)
        inside += whole
        try:
            outputs = original(layer, *args, **kwargs)
        finally:
            inside -= whole
        if not inside:
            # A recurrent layer may receive its sequences by keyword, after their initial state.
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
    """Replaces a `TimeDistributed` call by its inner calls, with their counts."""
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
            expected="layers that create their weights with add_weight",
            received=f"{len(strangers)} variables of {size} numbers",
        )
