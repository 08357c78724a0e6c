"""Reads a functional network's graph to find its prunable channels."""

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
    """The prunable channels of a network, and the effect of pruning on each layer.

    Attributes:
        model: Network as a functional model.
        groups: Channel groups, in graph order.
        protected: Reason why channels of a layer cannot be pruned, by layer name.
        layers: Layers by name.
        roots: (ids,) root of each id.
        members: (size,) roots of each group.
        configs: Config from which each layer is copied; see `copy_configs`.
    """

    model: keras.Model
    groups: tuple[ChannelGroup, ...]
    protected: Mapping[str, str]
    layers: Mapping[str, LayerChannels]
    roots: np.ndarray
    members: Mapping[str, np.ndarray]
    configs: Configs

    def keep_mask(self, keep_indices: Mapping[str, np.ndarray]) -> np.ndarray:
        """Returns (ids,) whether each id stays.

        Args:
            keep_indices: Positions to keep, by group; unnamed groups stay complete.

        Raises:
            InputError: A group is unknown, or the positions are not valid for it.
        """
        keep_mask = np.ones(len(self.roots), dtype=bool)
        for name, positions in keep_indices.items():
            if name not in self.members:
                raise InputError("no such channel group", where=name, expected=_some(self.members))
            mine, size = np.asarray(positions), len(self.members[name])
            if mine.ndim != 1 or not mine.size or mine.dtype.kind not in "iu":
                raise InputError(
                    "does not list the channels to keep",
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
            keep_mask[np.delete(self.members[name], mine)] = False
        return keep_mask[self.roots]


def channel_groups(model: keras.Model) -> tuple[ChannelGroup, ...]:
    """Finds the sets of channels that can be pruned: see `read_graph`."""
    return read_graph(model).groups


@contextmanager
def _drawing_nothing() -> Iterator[None]:
    """Preserves the random state from which Keras draws the seeds of new layers."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


@_drawing_nothing()
def read_graph(model: keras.Model) -> ChannelGraph:
    """Traces every channel through a network.

    Channels that reach an output or a layer that is not understood are protected: that layer and
    everything it reads stay unchanged.

    Args:
        model: Functional or built sequential model, channels on the last axis.

    Raises:
        InputError: The model is neither, contains a network as a layer, has channels on another
            axis, shares a weight between two layers, or has a layer with weights that cannot be
            copied.
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
    one_less = graph.keep_mask(
        {group.name: np.arange(1, group.size) for group in groups if group.size > 1}
    )
    for layer in graph.layers.values():
        check_fitting(layer, one_less)
    return graph


def _protected(
    layers: Mapping[str, LayerChannels], roots: np.ndarray, reasons: Mapping[int, str]
) -> dict[str, str]:
    """Producers with channels that are in no group, and the reason for the first such channel."""
    found = {}
    for name, layer in layers.items():
        for (key, _), ids in layer.sizes.items():
            held = [root for root in roots[ids].tolist() if root in reasons]
            if held and key != "target_shape":
                found[name] = reasons[held[0]]
    return found


def _check_operation(operation: keras.Operation) -> None:
    """Rejects a network inside the network, except one without kernels, such as preprocessing."""
    if isinstance(operation, keras.Model) and any(
        isinstance(layer, kernels.PRODUCERS) for layer in operation._flatten_layers()
    ):
        raise InputError(
            "is a nested network",
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
                    expected="one layer called several times instead",
                    received=f"a weight of {owner}",
                )


def _some(names: Mapping) -> str:
    listed = list(names)
    return " | ".join(listed[:5]) + (" | ..." if len(listed) > 5 else "") or "none"
