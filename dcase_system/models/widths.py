"""Derives the spec of one of our networks after its widths have changed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.models.cp_mobile import CPMobileSpec
from dcase_system.models.cp_resnet import CPResNetSpec
from dcase_system.models.scene_cnn import SceneCNNSpec, module_name

# Keys that may differ from the network that the spec builds: initialisation and storage.
_FREE_KEYS = {"dtype", "trainable", "seed", "batch_shape"}


def spec_of_network(spec: Any, network: keras.Model) -> Any:
    """Copies `spec` with the widths of a network.

    Args:
        spec: Spec of the network before pruning.
        network: Network with the layers that the spec builds, in any width.

    Raises:
        InputError: The network is not of this architecture, or its widths contradict each other.
    """
    check_prunable(spec)
    found = _READERS[type(spec)](spec, network)
    _check(found, network)
    return found


def check_prunable(spec: Any) -> None:
    """Rejects a spec that could not hold the widths after pruning.

    Raises:
        InputError: Its architecture has no such specs.
    """
    if type(spec) not in _READERS:
        raise InputError(
            "architecture cannot be pruned",
            where=registry.kind_of(spec),
            expected=" | ".join(kind for kind, cls in registry.CLASSES.items() if cls in _READERS),
        )


def _cp_mobile(spec: CPMobileSpec, network: keras.Model) -> CPMobileSpec:
    before = stem_channels = _width(network, "stem1_b_conv")
    blocks = []
    for index, block in enumerate(spec.blocks, 1):
        name = f"block{index}_project_conv"
        channels = _width(network, name)
        if block.shortcut and channels != before:
            raise _foreign(name, f"{before} channels, its block adds its input", channels)
        expanded = _width(network, f"block{index}_expand_conv")
        blocks.append(replace(block, expanded=expanded, channels=channels))
        before = channels
    paths = range(1, len(spec.stem_inner) + 1)
    return replace(
        spec,
        stem_inner=tuple(_width(network, f"stem{path}_a_conv") for path in paths),
        stem_channels=stem_channels,
        blocks=tuple(blocks),
        classes=_width(network, "head_conv"),
    )


def _cnn10(spec: CNN10Spec, network: keras.Model) -> CNN10Spec:
    return replace(
        spec,
        blocks=tuple(
            tuple(
                _width(network, f"block{block}_conv{index}") for index in range(1, len(widths) + 1)
            )
            for block, widths in enumerate(spec.blocks, 1)
        ),
        embedding=_width(network, "embedding"),
        classes=_width(network, "logits"),
    )


def _cp_resnet(spec: CPResNetSpec, network: keras.Model) -> CPResNetSpec:
    blocks = tuple(
        replace(
            block,
            inner=_width(network, f"block{number}_first_conv"),
            channels=_width(network, f"block{number}_second_conv"),
        )
        for number, block in enumerate(spec.blocks, 1)
    )
    return replace(
        spec,
        stem_channels=_width(network, "stem_conv"),
        blocks=blocks,
        classes=_width(network, "head_conv"),
    )


def _scene_cnn(spec: SceneCNNSpec, network: keras.Model) -> SceneCNNSpec:
    blocks = []
    for index, block in enumerate(spec.blocks, 1):
        modules = []
        for position, module in enumerate(block.modules, 1):
            name = module_name(index, position)
            expanded = _width(network, f"{name}_expand_conv") if module.expanded else 0
            channels = _width(network, f"{name}_project_conv")
            modules.append(replace(module, expanded=expanded, channels=channels))
        blocks.append(replace(block, modules=tuple(modules)))
    return replace(
        spec,
        stem_channels=_width(network, "stem_conv"),
        blocks=tuple(blocks),
        classes=_width(network, "logits"),
    )


_READERS: dict[type, Callable[[Any, keras.Model], Any]] = {
    CPMobileSpec: _cp_mobile,
    CNN10Spec: _cnn10,
    CPResNetSpec: _cp_resnet,
    SceneCNNSpec: _scene_cnn,
}


def _width(network: keras.Model, name: str) -> int:
    """Output channels of a layer."""
    layer = _layer(network, name)
    width = getattr(layer, "units", getattr(layer, "filters", None))
    if width is None:
        raise _foreign(name, "a convolution or a dense layer", type(layer).__name__)
    return width


def _layer(network: keras.Model, name: str) -> keras.Layer:
    layers = {layer.name: layer for layer in network.layers}
    if name not in layers:
        raise _foreign(name, "a layer of this name in the network", "none")
    return layers[name]


def _check(spec: Any, network: keras.Model) -> None:
    """Compares the network with the one that the spec builds, layer by layer."""
    expected = registry.build(spec)
    for mine, its in zip(expected.inputs, network.inputs, strict=True):
        sizes = zip(mine.shape[1:], its.shape[1:], strict=True)
        if any(None not in pair and pair[0] != pair[1] for pair in sizes):
            raise _foreign(its.name, f"an input of {mine.shape[1:]}", its.shape[1:])
    for layer in expected.layers:
        other = _layer(network, layer.name)
        wanted, received = _description(layer), _description(other)
        for key in wanted:
            if wanted[key] != received.get(key):
                raise _foreign(layer.name, f"{key} {wanted[key]}", received.get(key))
    names = {layer.name for layer in expected.layers}
    for layer in network.layers:
        if layer.name not in names:
            raise _foreign(layer.name, "no such layer in this architecture", "one")


def _description(layer: keras.Layer) -> dict:
    """Properties of a layer that must match between the network and its spec."""
    config = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in layer.get_config().items()
        if key not in _FREE_KEYS and not key.endswith("_initializer")
    }
    if hasattr(layer, "activation"):
        config["activation"] = _origin(layer.activation)
    shapes = [tuple(weight.shape) for weight in layer.weights]
    return {"kind": _origin(type(layer)), **config, "weights": shapes}


def _origin(held: Any) -> str:
    """Module and name of a class or function: a user's may share its name with Keras's."""
    if not hasattr(held, "__qualname__"):  # a callable object
        held = type(held)
    return f"{held.__module__}.{held.__qualname__}"


def _foreign(name: str, expected: object, received: object) -> InputError:
    return InputError(
        "network and spec disagree",
        where=f"layer {name}",
        expected=expected,
        received=received,
    )
