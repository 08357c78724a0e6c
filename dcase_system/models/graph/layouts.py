"""How channels pass through layers that only rearrange values."""

import numpy as np

from dcase_system.models.graph.channels import LayerChannels, Traced, Tracing, opaque


def permute(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    """Moves the channels to another axis."""
    (tensor,) = inputs
    if tensor is None:
        return None
    rank = len(layer.dims) + 1
    return Traced(layer.dims.index(tensor.axis + rank) + 1 - rank, tensor.ids)


def flatten(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    """Turns every position of the map into a vector position with its channel's id."""
    (tensor,), shape = inputs, node.input_tensors[0].shape[1:]
    if tensor is None or layer.data_format == "channels_first" or None in shape:
        return opaque(tracing, layer, node, inputs)
    return Traced(-1, _spread(tensor, shape).reshape(-1))


def reshape(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    """Keeps the channels on one axis, whose size is updated, or protects them."""
    (tensor,) = inputs
    found = LayerChannels(layer)
    shape, target = node.input_tensors[0].shape[1:], node.outputs[0].shape[1:]
    result = None if tensor is None else _reshaped(tensor, shape, target)
    if result is None:
        opaque(tracing, layer, node, inputs)
    else:
        entry = len(target) + result.axis
        if layer.target_shape[entry] != -1:
            found.sizes["target_shape", entry] = result.ids
    tracing.add(found)
    return result


def _reshaped(tensor: Traced, shape: tuple, target: tuple) -> Traced | None:
    """The only axis of the target along which the channels run, or None."""
    if tensor.axis == -1 and target[-1] == shape[-1]:
        return tensor  # the other axes, known or not, only fold among themselves
    if None in shape or None in target:
        return None
    spread = _spread(tensor, shape).reshape(target)
    found = []
    for axis in range(len(target)):
        lines = np.moveaxis(spread, axis, -1).reshape(-1, target[axis])
        if target[axis] > 1 and (lines == lines[0]).all():
            found.append(Traced(axis - len(target), lines[0]))
    return found[0] if len(found) == 1 else None


def _spread(tensor: Traced, shape: tuple) -> np.ndarray:
    """The id at every position of a tensor of `shape` (without the batch)."""
    line = [1] * len(shape)
    line[tensor.axis] = len(tensor.ids)
    return np.broadcast_to(tensor.ids.reshape(line), shape)
