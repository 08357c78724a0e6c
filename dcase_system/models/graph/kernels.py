"""How channels pass through layers with kernels: which they read, and which they produce."""

import keras
import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.models.graph.channels import LayerChannels, Traced, Tracing

_LAYERS = keras.layers
CONVOLUTIONS = (_LAYERS.Conv1D, _LAYERS.Conv2D, _LAYERS.Conv3D)
TRANSPOSED = (_LAYERS.Conv1DTranspose, _LAYERS.Conv2DTranspose, _LAYERS.Conv3DTranspose)
DEPTHWISE = (_LAYERS.DepthwiseConv1D, _LAYERS.DepthwiseConv2D)
SEPARABLE = (_LAYERS.SeparableConv1D, _LAYERS.SeparableConv2D)
PRODUCERS = (*CONVOLUTIONS, *TRANSPOSED, *SEPARABLE, _LAYERS.Dense)

# Elementwise activations. Softmax and similar functions mix the channels.
_ELEMENTWISE = {
    *("linear", "relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish"),
    *("sigmoid", "hard_sigmoid", "log_sigmoid", "sparse_sigmoid", "hard_silu", "exponential"),
    *("tanh", "hard_tanh", "tanh_shrink", "softplus", "squareplus", "sparse_plus", "softsign"),
    *("soft_shrink", "hard_shrink", "threshold"),
}


def is_elementwise(activation) -> bool:
    """Whether an activation is one of Keras's elementwise functions."""
    name = getattr(activation, "__name__", None)
    return name in _ELEMENTWISE and keras.activations.get(name) is activation


def size_of(kind: type) -> str:
    """Config key with a producer's number of output channels."""
    return "units" if issubclass(kind, keras.layers.Dense) else "filters"


def kernel(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    """Rule for convolutions and dense layers: sums over input channels and produces new ones."""
    _check_layout(layer)
    if getattr(layer, "groups", 1) != 1:
        tracing.fix(inputs, f"read by the grouped convolution {layer.name}")
        return None
    before, after = (-1, -2) if isinstance(layer, TRANSPOSED) else (-2, -1)
    found = LayerChannels(layer)
    weight = found.index_of(layer.kernel)
    found.reads = _read(tracing, layer, inputs[0])
    if found.reads is not None:
        found.axes[weight, before] = found.reads
    found.filters = ((weight, after),)
    return _produce(tracing, found, {weight: after})


def separable(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    """Rule for a depthwise and a pointwise convolution in one layer."""
    _check_layout(layer)
    found = LayerChannels(layer)
    depthwise = found.index_of(layer.depthwise_kernel)
    pointwise = found.index_of(layer.pointwise_kernel)
    found.filters = ((pointwise, -1),)
    found.reads = _read(tracing, layer, inputs[0])
    if found.reads is not None:
        found.axes[depthwise, -2] = found.reads
        found.axes[pointwise, -2] = np.repeat(found.reads, layer.depth_multiplier)
        found.filters = ((depthwise, -2), (pointwise, -1))
    return _produce(tracing, found, {pointwise: -1})


def depthwise(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    """Rule for depthwise convolutions: each channel separately, `depth_multiplier` times."""
    _check_layout(layer)
    found = LayerChannels(layer)
    ids = _read(tracing, layer, inputs[0])  # not summed, so no mask is needed
    if ids is None:
        tracing.add(found)
        return None
    weight = found.index_of(layer.kernel)
    found.axes[weight, -2] = ids
    found.filters = ((weight, -2),)
    outputs = np.repeat(ids, layer.depth_multiplier)
    if layer.use_bias:
        found.axes[found.index_of(layer.bias), -1] = outputs
    tracing.add(found)
    return _activated(tracing, layer, outputs)


def _read(tracing: Tracing, layer, tensor: Traced | None) -> np.ndarray | None:
    """The ids on the last axis, if the channels are there."""
    if tensor is not None and tensor.axis != -1:
        tracing.fix([tensor], f"{layer.name} reads another axis")
        return None
    return None if tensor is None else tensor.ids


def _produce(tracing: Tracing, found: LayerChannels, kernels: dict[int, int]) -> Traced | None:
    layer = found.layer
    size = (size_of(type(layer)), None)
    known = tracing.layers.get(layer.name)
    count = getattr(layer, size[0])
    ids = tracing.ids.new(count) if known is None else known.sizes[size]
    found.sizes[size] = ids
    for weight, axis in kernels.items():
        found.axes[weight, axis] = ids
    if layer.use_bias:
        found.axes[found.index_of(layer.bias), -1] = ids
    tracing.add(found)
    return _activated(tracing, layer, ids)


def _activated(tracing: Tracing, layer, ids: np.ndarray) -> Traced | None:
    if not is_elementwise(layer.activation):
        tracing.ids.protect(ids, f"the activation of {layer.name} mixes channels")
        return None
    return Traced(-1, ids)


def _check_layout(layer) -> None:
    if getattr(layer, "data_format", "channels_last") not in (None, "channels_last"):
        raise InputError(
            "its channels cannot be followed",
            where=f"layer {layer.name}",
            expected="channels on the last axis",
            received=layer.data_format,
        )
