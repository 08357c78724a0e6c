"""Groups of channels that can only be kept or removed together."""

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass

import numpy as np

from dcase_system.models.graph.channels import LayerChannels


@dataclass(frozen=True)
class Member:
    """A layer with filters for a group's channels.

    Attributes:
        layer: Name of the layer.
        channels: Position of each of the group's channels on the layer's axis of filters.
    """

    layer: str
    channels: tuple[int, ...]


@dataclass(frozen=True)
class ChannelGroup:
    """Channels that can each be removed independently, from all members at once.

    Attributes:
        name: Name of the first producer; with its positions, if the group is a part of them.
        size: Number of channels.
        producers: Layers whose kernels produce the channels.
        depthwise: Layers with a separate kernel for each channel.
    """

    name: str
    size: int
    producers: tuple[Member, ...]
    depthwise: tuple[Member, ...]


def find_groups(
    layers: Mapping[str, LayerChannels], roots: np.ndarray, protected: Set[int]
) -> tuple[tuple[ChannelGroup, ...], dict[str, np.ndarray]]:
    """Finds the channel groups of a traced network.

    Channels belong to one group if they occur equally often along the same axes of the same layers,
    so within a group each costs the same.

    Args:
        layers: Layers by name, in graph order.
        roots: (ids,) root of each id.
        protected: Roots that belong to no group.

    Returns:
        The groups, and the (size,) roots of each by name.
    """
    gathered: dict[tuple, list[int]] = defaultdict(list)
    for root, places in sorted(_places(layers, roots).items()):
        if root not in protected:
            gathered[tuple(places)].append(root)
    groups, members = [], {}
    for own in gathered.values():
        group = _group(layers, roots, np.array(own))
        groups.append(group)
        members[group.name] = np.array(own)
    return tuple(groups), members


def _places(layers: Mapping[str, LayerChannels], roots: np.ndarray) -> dict[int, list]:
    """Where each root occurs, and how often."""
    places: dict[int, list] = defaultdict(list)
    seen: dict[int, np.ndarray] = {}
    for layer in layers.values():
        for ids in (*layer.sizes.values(), *layer.axes.values()):
            if id(ids) in seen:  # the weights of a batch norm all have the same axis
                continue
            seen[id(ids)] = ids
            for root, count in zip(*np.unique(roots[ids], return_counts=True), strict=True):
                places[int(root)].append((len(seen), int(count)))
    return places


def _group(layers: Mapping[str, LayerChannels], roots: np.ndarray, own: np.ndarray) -> ChannelGroup:
    producers: list[Member] = []
    depthwise: list[Member] = []
    name = ""
    for layer_name, layer in layers.items():
        for key in layer.filters:
            ids = layer.axes[key]
            made = any(ids is size for size in layer.sizes.values())
            for channels in _positions(roots[ids], own):
                (producers if made else depthwise).append(Member(layer_name, channels))
                if made and not name:
                    name = _name(layer_name, channels, len(ids))
    return ChannelGroup(name, len(own), tuple(producers), tuple(depthwise))


def _positions(roots: np.ndarray, own: np.ndarray) -> list[tuple[int, ...]]:
    """Positions of each root, one tuple per occurrence."""
    order = np.argsort(roots, kind="stable")
    first, last = (np.searchsorted(roots[order], own, side=side) for side in ("left", "right"))
    return [
        tuple(order[first + occurrence].tolist()) for occurrence in range(int((last - first)[0]))
    ]


def _name(layer: str, channels: tuple[int, ...], size: int) -> str:
    return layer if len(channels) == size else f"{layer}[{min(channels)}:{max(channels) + 1}]"
