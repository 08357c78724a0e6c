"""A network that runs at any width and depth: its layers use the first channels of full weights.

A tensor, not a Python value, selects the sub-network, so one traced graph serves all of them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.graph.functional import nodes_in_order
from dcase_system.models.graph.read import ChannelGraph, read_graph
from dcase_system.supernet.architectures import SubNetwork, architecture_of
from dcase_system.supernet.elastic_layers import Call, Mode, elastic_layer

Perturb = Callable[[tf.Tensor], tf.Tensor]

_KEEP_IN_TRAINING = 0.9  # momentum of the moving statistics, per step


@dataclass(frozen=True)
class _Part:
    """Calls of the network that run together: one, or all of an optional part.

    Attributes:
        nodes: Calls in order.
        group: Index of the channel group whose width of 0 leaves them out; None if nothing does.
    """

    nodes: Sequence[Any]
    group: int | None


class ElasticNetwork(keras.layers.Layer):
    """All sub-networks of a network in one set of weights, those of the ordinary network.

    `widths` selects a sub-network: int32 (groups,), the channels of each of the pruner's channel
    groups, 0 for a part left out (`widths_of`). The channels of a group belong to all its layers,
    so what residual connections join keeps one width.

    Args:
        spec: Spec of the largest sub-network.
        network: Network of this spec, which shares its weights; None for a new one.

    Raises:
        InputError: The architecture has no supernet.
    """

    def __init__(self, spec: Any, network: keras.Model | None = None, **kwargs):
        super().__init__(**kwargs)
        self.spec, self._architecture = spec, architecture_of(spec)
        self.network = registry.build(spec) if network is None else network
        graph = read_graph(self.network)
        self.groups = {group.name: group.size for group in graph.groups}
        self._producers = {
            group.name: {member.layer for member in group.producers} for group in graph.groups
        }
        self._group_of = _groups_of_layers(graph)
        self._parts = self._found_parts()
        self.built = True

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """Layers with weights, by name."""
        return {layer.name: layer for layer in self.network.layers if layer.weights}

    @property
    def dropouts(self) -> list[keras.layers.Dropout]:
        return [one for one in self.network.layers if isinstance(one, keras.layers.Dropout)]

    def call(
        self,
        features,
        widths=None,
        mode: Mode = "running",
        keep=_KEEP_IN_TRAINING,
        perturb: Perturb | None = None,
    ):
        """Computes logits (batch, classes) of features (batch, mels, frames, 1).

        Args:
            features: Features from the front end.
            widths: Widths of the sub-network; by default the largest.
            mode: Source of batch norm statistics, and whether dropout is on.
            keep: Momentum of the moving statistics, where they are updated.
            perturb: Augmentation of the features, or of the normalised ones, as in PANNs.
        """
        # The largest sub-network's widths are known at tracing, so its graph has no conditions.
        widths = self.widths_of(self.spec) if widths is None else widths
        after = self._architecture.augmented_after
        if perturb is not None and after is None:
            features = perturb(features)
        # What runs before the augmentation needs the whole batch.
        call = Call(mode, keep, of_shares=after is None)
        tensors = {id(self.network.inputs[0]): features}
        for part in self._parts:
            if part.group is None or isinstance(widths, np.ndarray):
                self._run(part, tensors, widths, call)
            else:
                self._run_optional(part, tensors, widths, call)
            if after is not None and part.nodes[-1].operation.name == after:
                output, call = id(part.nodes[-1].outputs[0]), Call(mode, keep, of_shares=True)
                if perturb is not None:
                    tensors[output] = perturb(tensors[output])
        return tensors[id(self.network.outputs[0])]

    def _run(self, part: _Part, tensors: dict[int, tf.Tensor], widths, call: Call):
        """Runs a part and adds its outputs to the tensors; returns the last."""
        if part.group is not None and isinstance(widths, np.ndarray) and not widths[part.group]:
            tensors[id(part.nodes[-1].outputs[0])] = tensors[id(part.nodes[0].input_tensors[0])]
        else:
            for node in part.nodes:
                operation, (output,) = node.operation, node.outputs
                run = elastic_layer(operation)
                if run is None:
                    args, kwargs = node.arguments.fill_in(tensors)
                    tensors[id(output)] = operation(*args, **kwargs)
                else:
                    group = self._group_of.get(operation.name)
                    inputs = tensors[id(node.input_tensors[0])]
                    width = None if group is None else widths[group]
                    tensors[id(output)] = run(operation, inputs, width, call)
        return tensors[id(part.nodes[-1].outputs[0])]

    def _run_optional(self, part: _Part, tensors: dict[int, tf.Tensor], widths, call: Call) -> None:
        inputs = tensors[id(part.nodes[0].input_tensors[0])]
        tensors[id(part.nodes[-1].outputs[0])] = tf.cond(
            widths[part.group] > 0,
            lambda: self._run(part, dict(tensors), widths, call),
            lambda: inputs,
        )

    def _found_parts(self) -> list[_Part]:
        optional = self._architecture.optional(self.spec)
        names, parts = list(self.groups), list[_Part]()
        for node in nodes_in_order(self.network):
            layer = node.operation.name
            own = next((of for of, name in optional.items() if re.fullmatch(name, layer)), None)
            group = None if own is None else names.index(own)
            if group is not None and parts and parts[-1].group == group:
                parts[-1] = _Part([*parts[-1].nodes, node], group)
            else:
                parts.append(_Part([node], group))
        return parts

    def sub_network(self, spec: Any) -> SubNetwork:
        """Describes a sub-network by the layers of this network.

        Raises:
            InputError: The spec is not a sub-network of this supernet.
        """
        found = None
        if type(spec) is type(self.spec) and (spec.classes, spec.input_shape[0]) == (
            self.spec.classes,
            self.spec.input_shape[0],
        ):
            found = self._architecture.sub_network(self.spec, spec)
        if found is None or not self._fits(found):
            raise InputError(
                "not a sub-network of this supernet",
                where="supernet",
                expected=f"at most {self.spec}",
                received=spec,
            )
        return found

    def _fits(self, found: SubNetwork) -> bool:
        """Whether the layers of each group have one width, of which the group has as many."""
        optional = self._architecture.optional(self.spec)
        for group, size in self.groups.items():
            widths = {found.widths[layer] for layer in self._producers[group]}
            least = 0 if group in optional else 1
            if len(widths) > 1 or not least <= min(widths) <= size:
                return False
        return True

    def widths_of(self, spec: Any) -> np.ndarray:
        """Returns the `widths` of the sub-network that a spec describes, for `call`.

        Raises:
            InputError: The spec is not a sub-network of this supernet.
        """
        widths = self.sub_network(spec).widths
        return np.array([widths[group] for group in self.groups], np.int32)


def _groups_of_layers(graph: ChannelGraph) -> dict[str, int]:
    """Index of the group that a layer's output channels are, by layer.

    Raises:
        InputError: A layer makes channels of several groups.
    """
    found = {}
    for name, layer in graph.layers.items():
        for ids in layer.sizes.values():
            roots = graph.roots[ids]
            for index, members in enumerate(graph.members.values()):
                if np.array_equal(roots, members):
                    found[name] = index
                elif np.isin(members, roots).any():
                    raise InputError(
                        "makes channels of several groups",
                        where=f"layer {name}",
                        expected="one group in its own order",
                    )
    return found
