"""Copies layers, or shares them if they have no weights."""

from typing import Any

import keras

from dcase_system.core.errors import InputError
from dcase_system.models.graph.configs import config_of, is_of_keras, is_stateless
from dcase_system.models.graph.functional import as_functional, nodes_in_order, replaced
from dcase_system.models.graph.likeness import first_difference
from dcase_system.models.graph.rules import RULES

# Packages whose layers, unless they contain others, are fully described by their configs.
_KNOWN = ("keras.src.layers.", "keras.src.applications.", "dcase_system.")

Configs = dict[str, dict[str, Any] | None]


def copy_configs(model: keras.Model) -> Configs:
    """Returns the config from which each layer of a network can be rebuilt, by layer name.

    The config is None for a layer that cannot be rebuilt but has no weights: a copied network can
    share it. Layers not known to have complete configs are rebuilt once to check.

    Args:
        model: Functional model.

    Raises:
        InputError: A layer with weights cannot be rebuilt from its config.
    """
    configs: Configs = {}
    for node in nodes_in_order(model):
        layer = node.operation
        if isinstance(layer, keras.Layer) and layer.name not in configs:
            configs[layer.name] = _config(layer, node)
    return configs


def copied(layer: Any, config: dict[str, Any] | None) -> Any:
    """Recreates a layer from a config of `copy_configs`; without one, returns the layer."""
    return layer if config is None else type(layer).from_config(_again(config))


def copy_state(layer: keras.Layer, copy: keras.Layer) -> None:
    """Copies a layer's weights and state to its copy."""
    for mine, its in zip(layer._flatten_layers(), copy._flatten_layers(), strict=True):
        store: dict[str, Any] = {}
        mine.save_own_variables(store)  # as on saving: some layers derive state on loading
        its.load_own_variables(store)


def copied_network(model: keras.Model) -> keras.Model:
    """Copies a network with its own weights, uncompiled; the copy computes the same.

    `keras.models.clone_model` would replace a function by Keras's own of the same name.

    Args:
        model: Functional or built sequential model.

    Raises:
        InputError: The model is neither, or a layer with weights cannot be copied.
    """
    model = as_functional(model)
    configs = copy_configs(model)
    result, copies = replaced(
        model, lambda operation: copied(operation, configs.get(operation.name))
    )
    for layer in model.layers:
        copy = copies.get(layer.name, layer)
        if copy is not layer:
            copy_state(layer, copy)
    return result


def _config(layer: keras.Layer, node) -> dict[str, Any] | None:
    if _is_known(layer):
        return config_of(layer)
    if is_stateless(layer):
        return None
    problems = []
    for configure in (config_of, type(layer).get_config):
        try:
            config = configure(layer)
            problem = _problem(layer, node, config)
        except Exception as error:  # noqa: BLE001 (a user's layer may raise anything)
            problem = f"{type(error).__name__}: {(str(error).splitlines() or [''])[-1][:120]}"
        if problem is None:
            return config
        problems.append(problem)
    if is_stateless(layer, but_for_seeds=True):
        return None  # both networks share its random seeds
    raise InputError(
        f"has weights and cannot be copied ({problems[0]})",
        where=f"layer {layer.name} ({type(layer).__name__})",
        expected="functions and layers in it that are registered with Keras"
        if is_of_keras(layer)
        else "get_config and from_config that recreate the layer",
    )


def _problem(layer: keras.Layer, node, config: dict[str, Any]) -> str | None:
    """Describes how a layer rebuilt from a config differs, or returns None."""
    inputs = {
        id(tensor): keras.KerasTensor(tensor.shape, tensor.dtype) for tensor in node.input_tensors
    }
    arguments, keywords = node.arguments.fill_in(inputs)
    copy = copied(layer, config)
    copy(*arguments, **keywords)
    copy_state(layer, copy)
    if copy.name != layer.name:
        return "its name differs"
    if {id(variable) for variable in copy.variables} & {id(mine) for mine in layer.variables}:
        return "the copy would share its weights"
    if any(hasattr(inner, "save_assets") for inner in layer._flatten_layers()):
        return "it holds a vocabulary, which is not a weight"
    difference = first_difference(layer, copy)
    return None if difference is None else f"its `{difference}` differs"


def _again(config: Any) -> Any:
    """Copies a config's containers: some layers remove items from them while reading."""
    if type(config) is dict:
        return {key: _again(value) for key, value in config.items()}
    if type(config) in (list, tuple):
        return type(config)(_again(value) for value in config)
    return config


def _is_known(layer: keras.Layer) -> bool:
    """Whether a layer's config and weights are known to describe it completely."""
    changed = getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None)
    if layer._layers or changed:
        return False
    weighted = bool(layer.variables)  # others, such as a Lambda, are shared
    return type(layer) in RULES or (weighted and type(layer).__module__.startswith(_KNOWN))
