"""Networks that train with channels hidden but not removed."""

from collections.abc import Mapping, Set

import keras
import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.models.graph.functional import rebuild
from dcase_system.models.graph.mask_layer import ChannelMask
from dcase_system.models.graph.read import ChannelGraph, read_graph


def masked_model(model: keras.Model) -> keras.Model:
    """Inserts a mask before each kernel that sums channels; the weights are shared.

    A hidden channel is still computed but not read, so the outputs equal those of the network
    without it. Its filters keep their stored values and get no gradient (momentum and weight decay
    still move them), so a later mask may show it again. The masks are variables of the model and
    initially hide nothing.

    Raises:
        InputError: The network is not understood, or already has masks.
    """
    graph = read_graph(model)
    if any(isinstance(layer, ChannelMask) for layer in graph.model.layers):
        raise InputError("already has masks", where=f"network {model.name}")
    in_groups = np.isin(graph.roots, np.concatenate([np.zeros(0, int), *graph.members.values()]))
    taken = {operation.name for operation in graph.model.operations}
    masks = {
        name: ChannelMask(name=_free(f"{name}_mask", taken), dtype=channels.layer.dtype_policy.name)
        for name, channels in graph.layers.items()
        if channels.reads is not None and in_groups[channels.reads].any()
    }

    def call(operation, *args, **kwargs):
        if operation.name not in masks:
            return operation(*args, **kwargs)
        if args:
            return operation(masks[operation.name](args[0]), *args[1:], **kwargs)
        inputs = masks[operation.name](kwargs.pop("inputs"))
        return operation(inputs, **kwargs)

    return rebuild(graph.model, call)


def set_masks(masked: keras.Model, keep_indices: Mapping[str, np.ndarray]) -> None:
    """Hides all channels except the kept ones.

    Args:
        masked: Network from `masked_model`.
        keep_indices: Positions to keep, by group; unnamed groups are shown in full.

    Raises:
        InputError: The network has no masks, or a group is unknown or would be empty.
    """
    graph = read_graph(masked)
    keep_mask = graph.keep_mask(keep_indices)
    for mask, ids in _masks(graph):
        mask.assign(keep_mask[ids].astype(np.float32))


def kept_by_masks(masked: keras.Model) -> dict[str, np.ndarray]:
    """Positions that the masks show, by group, as `slim` takes them.

    Raises:
        InputError: The network has no masks.
    """
    graph = read_graph(masked)
    shown = np.ones(len(graph.roots), dtype=bool)
    for mask, ids in _masks(graph):
        shown[graph.roots[ids[keras.ops.convert_to_numpy(mask) < 0.5]]] = False
    return {name: np.flatnonzero(shown[roots]) for name, roots in graph.members.items()}


def _free(name: str, taken: Set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _masks(graph: ChannelGraph) -> list[tuple[keras.Variable, np.ndarray]]:
    """Each mask with the channel ids along it."""
    found = [
        (channels.layer.mask, channels.axes[0, -1])
        for channels in graph.layers.values()
        if isinstance(channels.layer, ChannelMask)
    ]
    if graph.groups and not found:
        raise InputError(
            "has no masks", where=f"network {graph.model.name}", expected="one from masked_model"
        )
    return found
