"""Reads a functional network's calls, and rebuilds its graph."""

from collections.abc import Callable
from typing import Any

import keras

from dcase_system.core.errors import InputError


def as_functional(model: keras.Model) -> keras.Model:
    """Returns the network itself, or a functional model of the same layers.

    Args:
        model: Functional or built sequential model.

    Raises:
        InputError: The model is neither, or overrides `call`.
    """
    sequential = isinstance(model, keras.Sequential)
    if not (model.built if sequential else hasattr(model, "_nodes_by_depth")):
        raise InputError(
            "its graph cannot be read",
            where=f"network {model.name}",
            expected="a functional model",
            received=type(model).__name__,
        )
    kinds: list[Any] = [
        kind for kind in type(model).__mro__ if kind.__module__.startswith("keras.")
    ]
    if type(model).call is not kinds[0].call:
        raise InputError(
            "may compute something other than its graph",
            where=f"network {model.name}",
            expected="a functional model that does not override call",
            received=type(model).__name__,
        )
    return keras.Model(model.inputs, model.outputs, name=model.name) if sequential else model


def nodes_in_order(model: keras.Model) -> list:
    """The calls in a functional model, each after those that produce its inputs."""
    # Keras itself runs a model in this order; it has no public API to list the calls.
    positions = {id(operation): index for index, operation in enumerate(model.operations)}
    return [
        node
        for depth in sorted(model._nodes_by_depth, reverse=True)
        for node in sorted(model._nodes_by_depth[depth], key=lambda x: positions[id(x.operation)])
        if not node.is_input
    ]


def rebuild(model: keras.Model, call: Callable) -> keras.Model:
    """Rebuilds the same graph, uncompiled.

    `keras.models.clone_model` would also compile the copy, with a new optimiser.

    Args:
        model: Functional model.
        call: Function of (operation, *args, **kwargs) that returns the outputs of its replacement.
    """
    inputs = keras.tree.map_structure(_input_like, model._inputs_struct)
    tensors = {
        id(old): new for old, new in zip(model.inputs, keras.tree.flatten(inputs), strict=True)
    }
    for node in nodes_in_order(model):
        args, kwargs = node.arguments.fill_in(tensors)
        outputs = keras.tree.flatten(call(node.operation, *args, **kwargs))
        tensors.update({id(old): new for old, new in zip(node.outputs, outputs, strict=True)})
    outputs = keras.tree.map_structure(lambda x: tensors[id(x)], model._outputs_struct)
    return keras.Model(inputs, outputs, name=model.name)


def _input_like(tensor: keras.KerasTensor) -> keras.KerasTensor:
    layer = tensor._keras_history.operation
    return keras.Input(
        batch_shape=tensor.shape,
        dtype=tensor.dtype,
        name=tensor.name,
        sparse=tensor.sparse,
        optional=getattr(layer, "optional", False),
    )


def replaced(
    model: keras.Model, make: Callable[[Any], keras.Operation | None]
) -> tuple[keras.Model, dict[str, keras.Operation]]:
    """Rebuilds the same graph with other operations.

    Args:
        model: Functional model.
        make: Returns an operation's replacement, once for all of its calls; None omits the
            operation and passes its input through.

    Returns:
        The network, and the replacements by the name of the operation they replace.
    """
    stand_ins: dict[str, keras.Operation] = {}
    left_out = set()

    def call(operation, *args, **kwargs):
        name = operation.name
        if name not in left_out and name not in stand_ins:
            made = make(operation)
            if made is None:
                left_out.add(name)
            else:
                stand_ins[name] = made
        if name in left_out:
            return args[0] if args else kwargs["inputs"]
        return stand_ins[name](*args, **kwargs)

    return rebuild(model, call), stand_ins
