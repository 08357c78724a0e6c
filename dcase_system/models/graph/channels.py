"""Tracks which channels of a network belong together while its graph is being read.

Every output channel of every kernel gets an id. Ids that must be kept or removed together are
joined; ids that must not be removed are protected.
"""

from dataclasses import dataclass, field

import keras
import numpy as np


@dataclass(frozen=True)
class Traced:
    """The channels of a tensor; a tensor without a `Traced` never changes its shape.

    Attributes:
        axis: Axis of the channels, counted from the end (-1 is the last).
        ids: (size of that axis,) id at each position.
    """

    axis: int
    ids: np.ndarray


@dataclass
class LayerChannels:
    """How removing channels affects a layer.

    Attributes:
        layer: Layer.
        axes: Ids along a weight's axis, keyed by (position in `layer.weights`, axis from the end).
        sizes: Ids counted by an entry of the config, keyed by (key, position in it or None).
        filters: Keys of `axes` along which each channel has its own filter in this layer.
        reads: Ids of the input, if a kernel sums over them.
    """

    layer: keras.layers.Layer
    axes: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    sizes: dict[tuple[str, int | None], np.ndarray] = field(default_factory=dict)
    filters: tuple[tuple[int, int], ...] = ()
    reads: np.ndarray | None = None

    def index_of(self, variable: keras.Variable) -> int:
        """Position of a variable among the layer's weights."""
        return next(i for i, weight in enumerate(self.layer.weights) if weight is variable)

    def shape_of(self, index: int, keep_mask: np.ndarray) -> tuple[int, ...]:
        """Shape of a weight after pruning, given (ids,) whether each id stays."""
        shape = list(self.layer.weights[index].shape)
        for (own, axis), ids in self.axes.items():
            if own == index:
                shape[axis] = int(keep_mask[ids].sum())
        return tuple(shape)


class ChannelIds:
    """Ids that can be joined and protected (a union-find structure)."""

    def __init__(self) -> None:
        self._parents: list[int] = []
        self._reasons: dict[int, str] = {}

    def new(self, count: int) -> np.ndarray:
        """Creates (count,) new ids."""
        first = len(self._parents)
        self._parents.extend(range(first, first + count))
        return np.arange(first, first + count)

    def join(self, left: np.ndarray, right: np.ndarray) -> None:
        """Joins ids position by position; the lower id stands for both."""
        for one, other in zip(left.tolist(), right.tolist(), strict=True):
            first, second = sorted((self._root(one), self._root(other)))
            if first != second:
                self._parents[second] = first
                reason = self._reasons.pop(second, None)
                if reason is not None:
                    self._reasons.setdefault(first, reason)

    def protect(self, ids: np.ndarray, reason: str) -> None:
        """Forbids removing these ids; the first reason is kept."""
        for one in ids.tolist():
            self._reasons.setdefault(self._root(one), reason)

    def roots(self) -> np.ndarray:
        """Returns (ids,) the lowest id that each id is joined with."""
        return np.array([self._root(one) for one in range(len(self._parents))], dtype=np.int64)

    def reasons(self) -> dict[int, str]:
        """Returns why each protected root is protected."""
        return dict(self._reasons)

    def _root(self, one: int) -> int:
        parents = self._parents
        while parents[one] != one:
            parents[one] = parents[parents[one]]
            one = parents[one]
        return one


class Tracing:
    """What is known so far about a network's channels."""

    def __init__(self) -> None:
        self.ids = ChannelIds()
        self.layers: dict[str, LayerChannels] = {}

    def fix(self, tensors: list[Traced | None], reason: str) -> None:
        """Protects all channels of the given tensors."""
        for tensor in tensors:
            if tensor is not None:
                self.ids.protect(tensor.ids, reason)

    def add(self, found: LayerChannels) -> LayerChannels:
        """Records a layer; repeated calls share its weights, so their channels are joined."""
        name = found.layer.name
        known = self.layers.setdefault(name, found)
        if known is not found:
            self._tie(known.axes, found.axes, name)
            self._tie(known.sizes, found.sizes, name)
        return known

    def _tie(self, known: dict, found: dict, name: str) -> None:
        for key in known.keys() | found.keys():
            if key in known and key in found:
                self.ids.join(known[key], found[key])
            else:
                ids = known[key] if key in known else found[key]
                self.ids.protect(ids, f"layer {name} has several uses")


def opaque(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    """Rule for a layer that is not understood: protects all its inputs."""
    tracing.fix(inputs, f"read by {layer.name} ({type(layer).__name__})")
    return None
