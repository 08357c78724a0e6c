"""How channels pass through each kind of layer; a layer that is not understood protects them."""

from collections.abc import Callable

import keras
import numpy as np

from dcase_system.models import layers as own
from dcase_system.models.cnn10 import MeanMelsPoolFrames
from dcase_system.models.graph import kernels, layouts
from dcase_system.models.graph.channels import LayerChannels, Traced, Tracing, opaque
from dcase_system.models.graph.configs import config_of
from dcase_system.models.graph.mask_layer import ChannelMask
from dcase_system.parallel.replicas import Dropout

_LAYERS = keras.layers
# A rule takes (tracing, layer, node, channels of the inputs) and returns the output's channels.
Rule = Callable[[Tracing, keras.Operation, object, list[Traced | None]], Traced | None]


def _through(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    """Acts on each value alone, or on each channel alone with one rule for all."""
    return inputs[0]


def _activation(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    if kernels.is_elementwise(layer.activation):
        return inputs[0]
    return opaque(tracing, layer, node, inputs)


def _softmax(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    (tensor,) = inputs
    rank = len(node.input_tensors[0].shape)
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    if tensor is None or any(_from_end(axis, rank) == tensor.axis for axis in axes):
        return opaque(tracing, layer, node, inputs)
    return tensor


def _rescaling(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    if np.ndim(layer.scale) == np.ndim(layer.offset) == 0:
        return inputs[0]
    return opaque(tracing, layer, node, inputs)


def _spatial(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    """Acts along all axes but the last, whose position from the end does not change."""
    (tensor,) = inputs
    layout = getattr(layer, "data_format", None) or "channels_last"
    if tensor is None or (tensor.axis == -1 and layout == "channels_last"):
        return tensor
    return opaque(tracing, layer, node, inputs)


def _normalisation(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    """Batch norm: every weight has one value per channel."""
    (tensor,) = inputs
    found = LayerChannels(layer)
    if tensor is not None and tensor.axis != _from_end(
        layer.axis, len(node.input_tensors[0].shape)
    ):
        # In training its statistics would be taken over the channels.
        return opaque(tracing, layer, node, inputs)
    if tensor is not None:
        found.axes = {(index, -1): tensor.ids for index in range(len(layer.weights))}
    tracing.add(found)
    return tensor


def _mask(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    (tensor,) = inputs
    if tensor is None or tensor.axis != -1:
        return opaque(tracing, layer, node, inputs)
    tracing.add(LayerChannels(layer, {(0, -1): tensor.ids}))
    return tensor


def _prelu(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    (tensor,) = inputs
    found = LayerChannels(layer)
    if tensor is not None and layer.alpha.shape[tensor.axis] == len(tensor.ids) > 1:
        found.axes[0, tensor.axis] = tensor.ids
    tracing.add(found)
    return tensor


def _join(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    """Elementwise operation on several tensors, with broadcasting."""
    labelled = [tensor for tensor in inputs if tensor is not None]
    shapes = [tensor.shape for tensor in node.input_tensors]
    if len({tensor.axis for tensor in labelled}) > 1:
        return opaque(tracing, layer, node, inputs)
    if not labelled:
        return None
    axis, widest = labelled[0].axis, max(len(tensor.ids) for tensor in labelled)
    # A lower rank is padded with axes of size 1 after the batch.
    sizes = [shape[axis] if len(shape) > -axis else 1 for shape in shapes]
    joined = None
    for tensor, size in zip(inputs, sizes, strict=True):
        if tensor is None and size != 1:
            tracing.fix(inputs, f"{layer.name} joins it with a tensor that cannot be pruned")
            return None
        if tensor is not None and len(tensor.ids) < widest:
            tracing.fix([tensor], f"{layer.name} applies it to all channels")
        elif tensor is not None and joined is not None:
            tracing.ids.join(joined.ids, tensor.ids)
        elif tensor is not None:
            joined = tensor
    return joined


def _concatenate(tracing: Tracing, layer, node, inputs: list[Traced | None]) -> Traced | None:
    shapes = [tensor.shape for tensor in node.input_tensors]
    labelled = [tensor for tensor in inputs if tensor is not None]
    if not labelled:
        return None
    axis = _from_end(layer.axis, len(shapes[0]))
    if {tensor.axis for tensor in labelled} != {axis}:
        return _join(tracing, layer, node, inputs)  # side by side along another axis
    parts = []
    for tensor, shape in zip(inputs, shapes, strict=True):
        if tensor is None and shape[axis] is None:
            return opaque(tracing, layer, node, inputs)
        if tensor is None:
            parts.append(tracing.ids.new(shape[axis]))
            tracing.ids.protect(parts[-1], "not made by a kernel")
        else:
            parts.append(tensor.ids)
    return Traced(axis, np.concatenate(parts))


def _from_end(axis: int, rank: int) -> int:
    return axis if axis < 0 else axis - rank


def _kinds(*names: str) -> list[type]:
    return [getattr(_LAYERS, name) for name in names if hasattr(_LAYERS, name)]


def _dimensions(*names: str) -> list[type]:
    return _kinds(*(f"{name}{size}D" for name in names for size in (1, 2, 3)))


RULES: dict[type, Rule] = {
    **dict.fromkeys([*kernels.CONVOLUTIONS, *kernels.TRANSPOSED, _LAYERS.Dense], kernels.kernel),
    **dict.fromkeys(kernels.SEPARABLE, kernels.separable),
    **dict.fromkeys([*kernels.DEPTHWISE, own.DepthwiseConv2D], kernels.depthwise),
    **dict.fromkeys([_LAYERS.BatchNormalization, own.FusedBatchNormalization], _normalisation),
    **dict.fromkeys(
        [
            *_kinds("ReLU", "LeakyReLU", "ELU", "Identity", "ActivityRegularization"),
            *_kinds("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
            Dropout,
        ],
        _through,
    ),
    **dict.fromkeys(
        [
            MeanMelsPoolFrames,
            *_dimensions("MaxPooling", "AveragePooling", "GlobalMaxPooling"),
            *_dimensions("GlobalAveragePooling", "AdaptiveMaxPooling", "AdaptiveAveragePooling"),
            *_dimensions("SpatialDropout", "ZeroPadding", "Cropping", "UpSampling"),
        ],
        _spatial,
    ),
    **dict.fromkeys(_kinds("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), _join),
    _LAYERS.Activation: _activation,
    _LAYERS.Softmax: _softmax,
    _LAYERS.Rescaling: _rescaling,
    _LAYERS.PReLU: _prelu,
    _LAYERS.Concatenate: _concatenate,
    _LAYERS.Permute: layouts.permute,
    _LAYERS.Flatten: layouts.flatten,
    _LAYERS.Reshape: layouts.reshape,
    ChannelMask: _mask,
}

# Operations that are not layers (`x + 3.0` on a symbolic tensor); Keras does not export their
# classes, so they are identified by name.
_JOINING = {"Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Maximum", "Minimum"}
_UNARY = {
    *("Relu", "Relu6", "LeakyRelu", "Elu", "Gelu", "Silu", "Sigmoid", "HardSigmoid", "HardSilu"),
    *("Tanh", "Softplus", "Abs", "Absolute", "Negative", "Square", "Sqrt", "Exp", "Identity"),
}


# Attributes that a subclass may override without changing the computation.
_HARMLESS = {
    *("__init__", "__module__", "__doc__", "__dict__", "__weakref__", "__annotations__"),
    *("__firstlineno__", "__static_attributes__"),  # in every class, from Python 3.13 on
    *("get_config", "from_config", "save_own_variables", "load_own_variables"),
}


def rule_of(operation: keras.Operation, node) -> Rule:
    """Returns the rule for an operation of the graph."""
    if not isinstance(operation, keras.Layer):
        return _operation_rule(operation, node)
    kind = next((kind for kind in type(operation).__mro__ if kind in RULES), None)
    if kind is None or not _is_plain(operation, kind):
        return opaque
    rule = RULES[kind]
    several = len(node.input_tensors) != 1  # for example a mask in addition to the features
    return opaque if several and rule not in (_join, _concatenate) else rule


def _operation_rule(operation: keras.Operation, node) -> Rule:
    name = type(operation).__name__
    constants = [
        leaf
        for leaf in keras.tree.flatten((node.arguments.args, node.arguments.kwargs))
        if not isinstance(leaf, keras.KerasTensor) and leaf is not None
    ]
    known = type(operation).__module__.startswith("keras.src.ops")
    if not known or any(np.ndim(constant) for constant in constants):
        return opaque
    if name in _JOINING and len({len(tensor.shape) for tensor in node.input_tensors}) == 1:
        return _join
    return _through if name in _UNARY else opaque


def _is_plain(layer: keras.Layer, kind: type) -> bool:
    """Whether a layer computes what its kind does; a subclass may not."""
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        return False
    if type(layer) is kind:
        return True
    mine = type(layer).__mro__[: type(layer).__mro__.index(kind)]
    if any(hasattr(kind, name) and name not in _HARMLESS for own in mine for name in vars(own)):
        return False
    if kind is _LAYERS.Reshape:
        return False
    return not issubclass(kind, kernels.PRODUCERS) or _has_any_size(layer, kernels.size_of(kind))


def _has_any_size(layer: keras.Layer, key: str) -> bool:
    """Whether a subclass's layer can be created with another number of channels."""
    try:
        config = config_of(layer)
        wider = type(layer).from_config({**config, key: config[key] + 1})
    except Exception:  # noqa: BLE001 (a user's class may raise anything)
        return False
    return getattr(wider, key) == config[key] + 1
