"""A functional network's graph, read for its channels."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.models.graph import kernels
from dcase_system.models.graph.channels import LayerChannels, Traced, Tracing
from dcase_system.models.graph.copies import Configs, copy_configs
from dcase_system.models.graph.fitting import check_fitting
from dcase_system.models.graph.functional import as_functional, nodes_in_order
from dcase_system.models.graph.groups import ChannelGroup, find_groups
from dcase_system.models.graph.rules import rule_of


@dataclass(frozen=True)
class ChannelGraph:
    """What can be removed from a network, and what that does to each layer.

    Attributes:
        model: the network, as a functional model.
        groups: its channel groups, in the order of the graph.
        protected: why channels of a layer cannot be pruned, by the layer's name.
        layers: by name.
        roots: (ids,) the id that stands for each.
        members: (size,) roots of each group.
        configs: what each layer of a copy is made from; see `copy_configs`.
    """

    model: keras.Model
    groups: tuple[ChannelGroup, ...]
    protected: Mapping[str, str]
    layers: Mapping[str, LayerChannels]
    roots: np.ndarray
    members: Mapping[str, np.ndarray]
    configs: Configs

    def alive(self, kept: Mapping[str, np.ndarray]) -> np.ndarray:
        """(ids,) whether each id stays.

        Args:
            kept: positions that stay, by group; a group that is not named stays whole.

        Raises:
            InputError: a group is unknown, or its positions are not some of its channels.
        """
        alive = np.ones(len(self.roots), dtype=bool)
        for name, positions in kept.items():
            if name not in self.members:
                raise InputError("no such channel group", where=name, expected=_some(self.members))
            mine, size = np.asarray(positions), len(self.members[name])
            if mine.ndim != 1 or not mine.size or mine.dtype.kind not in "iu":
                raise InputError(
                    "does not say which channels stay",
                    where=f"channel group {name}",
                    expected="at least one position",
                    received=positions,
                )
            if len(np.unique(mine)) != len(mine) or mine.min() < 0 or mine.max() >= size:
                raise InputError(
                    "has no such channels",
                    where=f"channel group {name}",
                    expected=f"different positions below {size}",
                    received=positions,
                )
            alive[np.delete(self.members[name], mine)] = False
        return alive[self.roots]


def channel_groups(model: keras.Model) -> tuple[ChannelGroup, ...]:
    """The sets of channels that can be pruned: see `read_graph`."""
    return read_graph(model).groups


@contextmanager
def _drawing_nothing() -> Iterator[None]:
    """Leaves the random state from which Keras draws the seeds of layers that are made."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


@_drawing_nothing()
def read_graph(model: keras.Model) -> ChannelGraph:
    """Follows every channel through a network.

    Channels that reach an output, or a layer whose way with channels is not known, are protected:
    that layer stays as it is and so does all it reads.

    Args:
        model: functional or built sequential, channels on the last axis.

    Raises:
        InputError: it is neither, holds a network as a layer, has the channels elsewhere, has a
            weight in two layers, or has a layer with weights that cannot be copied.
    """
    model = as_functional(model)
    _check_weights(model)
    tracing = Tracing()
    known: dict[int, Traced | None] = {id(tensor): None for tensor in model.inputs}
    for node in nodes_in_order(model):
        _check_operation(node.operation)
        inputs = [known[id(tensor)] for tensor in node.input_tensors]
        rule = rule_of(node.operation, node)
        result = rule(tracing, node.operation, node, inputs)
        for output in node.outputs:
            known[id(output)] = result
    for tensor in model.outputs:
        tracing.fix([known[id(tensor)]], "reaches an output of the network")
    roots, reasons = tracing.ids.roots(), tracing.ids.reasons()
    groups, members = find_groups(tracing.layers, roots, set(reasons))
    protected = _protected(tracing.layers, roots, reasons)
    graph = ChannelGraph(
        model, groups, protected, tracing.layers, roots, members, copy_configs(model)
    )
    one_less = graph.alive(
        {group.name: np.arange(1, group.size) for group in groups if group.size > 1}
    )
    for layer in graph.layers.values():
        check_fitting(layer, one_less)
    return graph


def _protected(
    layers: Mapping[str, LayerChannels], roots: np.ndarray, reasons: Mapping[int, str]
) -> dict[str, str]:
    """The producers with channels that are in no group, and why the first of those is not."""
    found = {}
    for name, layer in layers.items():
        for (key, _), ids in layer.sizes.items():
            held = [root for root in roots[ids].tolist() if root in reasons]
            if held and key != "target_shape":
                found[name] = reasons[held[0]]
    return found


def _check_operation(operation: keras.Operation) -> None:
    """Refuses a network inside the network; one without kernels, preprocessing, is a layer."""
    if isinstance(operation, keras.Model) and any(
        isinstance(layer, kernels.PRODUCERS) for layer in operation._flatten_layers()
    ):
        raise InputError(
            "is a network of its own",
            where=f"layer {operation.name}",
            expected="a flat model: prune the inner network and build the outer one around it",
        )


def _check_weights(model: keras.Model) -> None:
    owners: dict[int, str] = {}
    for layer in model.layers:
        for weight in layer.weights:
            owner = owners.setdefault(id(weight), layer.name)
            if owner != layer.name:
                raise InputError(
                    "shares a weight with another layer",
                    where=f"layer {layer.name}",
                    expected="a layer called several times instead",
                    received=f"a weight of {owner}",
                )


def _some(names: Mapping) -> str:
    listed = list(names)
    return " | ".join(listed[:5]) + (" | ..." if len(listed) > 5 else "") or "none"
