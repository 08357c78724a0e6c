"""Parameters and multiply-accumulates of a Keras model, layer by layer.

The official count of DCASE 2024 and 2025 is torchinfo's: a convolution costs its weights and
biases times its output positions; any other layer with parameters costs their number once (so batch
norm is 2C however large the map), a recurrent layer once per frame; activations, additions and
pooling cost nothing. Every call counts, including those within nested models. Parameters count
whether frozen or not; moving statistics do not. A layer without a rule is rejected.
NeSsi's TFLite counter, which many participants quote, is reported in addition: batch norm is folded
into other layers, biases are free, and additions and pooling cost one operation per output element
or window cell.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import keras

from dcase_system.complexity.calls import Call, traced_calls
from dcase_system.complexity.costs import BYTES_PER_PARAMETER
from dcase_system.core.errors import InputError
from dcase_system.models.layers import (
    FusedBatchNormalization,
    GlobalResponseNormalization,
    LearnedMean,
)
from dcase_system.models.passt_layers import ClassTokens, PositionalGrid

_LAYERS = keras.layers
_CONVOLUTIONS = (
    *(_LAYERS.Conv1D, _LAYERS.Conv2D, _LAYERS.Conv3D),
    *(_LAYERS.Conv1DTranspose, _LAYERS.Conv2DTranspose, _LAYERS.Conv3DTranspose),
    *(_LAYERS.DepthwiseConv1D, _LAYERS.DepthwiseConv2D),
    *(_LAYERS.SeparableConv1D, _LAYERS.SeparableConv2D),
)
_RECURRENT_CONVOLUTIONS = (_LAYERS.ConvLSTM1D, _LAYERS.ConvLSTM2D, _LAYERS.ConvLSTM3D)
_CELLS = (_LAYERS.SimpleRNNCell, _LAYERS.GRUCell, _LAYERS.LSTMCell)
_COUNTED_ONCE = (
    *(_LAYERS.Dense, _LAYERS.EinsumDense, _LAYERS.Embedding, _LAYERS.PReLU),
    *(_LAYERS.BatchNormalization, _LAYERS.LayerNormalization, _LAYERS.GroupNormalization),
    *(_LAYERS.RMSNormalization, FusedBatchNormalization, _LAYERS.Attention),
    _LAYERS.AdditiveAttention,
)
# torchinfo reads `weight` and `bias`; the parameters of these layers have other names and are free.
_FREE = (GlobalResponseNormalization, LearnedMean, PositionalGrid, ClassTokens)
_GLOBAL_POOLING = (_LAYERS.GlobalAveragePooling2D, _LAYERS.GlobalMaxPooling2D)
_POOLING = (_LAYERS.AveragePooling2D, _LAYERS.MaxPooling2D)


@dataclass(frozen=True)
class LayerCount:
    """Cost of one layer for one clip.

    Attributes:
        name: Name of the layer.
        kind: Class of the layer.
        calls: Number of runs.
        output_shape: Output shape of the last call, without the batch.
        params: Number of parameters, frozen or not.
        macs: MACs of all calls, by the official rule.
        nessi_macs: MACs of all calls, by NeSsi's TFLite rule.
    """

    name: str
    kind: str
    calls: int
    output_shape: tuple[int | None, ...]
    params: int
    macs: int
    nessi_macs: int


@dataclass(frozen=True)
class Complexity:
    """Cost of a model for one clip.

    Attributes:
        layers: Layers that have parameters or a cost.
        params: Number of parameters, frozen or not.
        macs: MACs by the official rule (torchinfo).
        nessi_macs: MACs by NeSsi's TFLite rule.
        nonzero_params: Number of parameters that are not zero (before training, the offsets of
            batch norm are zero).
    """

    layers: tuple[LayerCount, ...]
    params: int
    macs: int
    nessi_macs: int
    nonzero_params: int

    def bytes(self, precision: str) -> int:
        """Size of the parameters at `float32`, `float16` or `int8`, in bytes."""
        return self.params * BYTES_PER_PARAMETER[precision]

    def as_json(self) -> dict:
        return {
            "params": self.params,
            "macs": self.macs,
            "bytes": {precision: self.bytes(precision) for precision in BYTES_PER_PARAMETER},
            "other_counters": {
                "nessi_tflite_macs": self.nessi_macs,
                "nonzero_params": self.nonzero_params,
            },
            "layers": [asdict(layer) for layer in self.layers],
        }


def count(model: keras.Model) -> Complexity:
    """Counts a network at its own input shape, as torchinfo counts its PyTorch equivalent.

    Raises:
        InputError: The input shape is unknown, or a layer with weights has no known cost; the
            message names it.
    """
    calls = traced_calls(model)
    called: dict[int, list[Call]] = {}
    for call in calls:
        called.setdefault(id(call.layer), []).append(call)
    layers = {id(layer): layer for layer in _leaves(model)}
    # A network's own `call` may use layers that the network does not list.
    layers |= {id(call.layer): call.layer for call in calls}
    counted = [_count_layer(layer, called.get(key, [])) for key, layer in layers.items()]
    return Complexity(
        layers=tuple(row for row in counted if row.params or row.macs or row.nessi_macs),
        params=sum(row.params for row in counted),
        macs=sum(row.macs for row in counted),
        nessi_macs=sum(row.nessi_macs for row in counted),
        nonzero_params=sum(nonzero_parameters(layer) for layer in layers.values()),
    )


def parameters_of(layer: keras.Layer) -> list[keras.Variable]:
    """Returns a layer's trainable variables, frozen or not, without those of layers inside it.

    Moving statistics and other state, which are created untrainable, are excluded.
    """
    inner = {id(own) for other in layer._layers for own in other.variables}
    # Freezing empties the public list. A wrapper may list its inner layer's variables.
    own = [variable for variable in layer._trainable_variables if id(variable) not in inner]
    if isinstance(layer, _LAYERS.RNN | _LAYERS.StackedRNNCells):
        own += [variable for cell in layer._layers for variable in parameters_of(cell)]
    return own


def nonzero_parameters(layer: keras.Layer) -> int:
    """Number of a layer's parameters that are not zero."""
    values = (keras.ops.convert_to_numpy(variable) for variable in parameters_of(layer))
    return sum(int((value != 0).sum()) for value in values)


def _leaves(layer: keras.Layer) -> Iterator[keras.Layer]:
    """Yields a network's layers in order, including nested ones but no recurrent layer's cell."""
    if parameters_of(layer) or not layer._layers:
        yield layer
    for inner in () if isinstance(layer, _LAYERS.RNN) else layer._layers:
        yield from _leaves(inner)


def _count_layer(layer: keras.Layer, calls: list[Call]) -> LayerCount:
    params = sum(math.prod(variable.shape) for variable in parameters_of(layer))
    macs = sum(call.times * _positions(call) * params for call in calls) if params else 0
    return LayerCount(
        name=layer.name,
        kind=type(layer).__name__,
        calls=sum(call.times for call in calls),
        output_shape=calls[-1].outputs if calls else (),
        params=params,
        macs=macs,
        nessi_macs=sum(call.times * _nessi_macs(call) for call in calls),
    )


def _positions(call: Call) -> int:
    """Number of times one call of a layer uses each of its parameters, by the official rule."""
    layer = call.layer
    if getattr(layer.dtype_policy, "quantization_mode", None):
        raise _refused(layer, "was quantized by Keras, which hides its parameters")
    if isinstance(layer, _FREE):
        return 0
    if isinstance(layer, _CONVOLUTIONS):
        return _product(call, _map(call.outputs, layer))
    if isinstance(layer, _RECURRENT_CONVOLUTIONS):
        shape = call.outputs[1:] if layer.return_sequences else call.outputs
        return _product(call, (call.inputs[0][0], *_map(shape, layer)))
    if isinstance(layer, _LAYERS.RNN):
        cells = getattr(layer.cell, "cells", [layer.cell])
        if not all(isinstance(cell, _CELLS) for cell in cells):
            raise _refused(layer, "has a cell whose cost is not known")
        return _product(call, call.inputs[0][:1])
    # A user's subclass of these may do anything in its own `call`.
    if any(isinstance(layer, kind) and type(layer).call is kind.call for kind in _COUNTED_ONCE):
        return 1
    raise _refused(layer, f"is a {type(layer).__name__} with weights, whose cost is not known")


def _map(shape: tuple, layer: keras.Layer) -> tuple:
    """A shape without its channels."""
    return shape[1:] if layer.data_format == "channels_first" else shape[:-1]


def _product(call: Call, shape: tuple) -> int:
    if None in shape:
        raise InputError(
            "expected a known output shape", where=f"layer {call.layer.name}", received=call.outputs
        )
    return math.prod(shape)


def _refused(layer: keras.Layer, reason: str) -> InputError:
    return InputError(
        f"{reason}, so the network cannot be counted",
        where=f"layer {layer.name}",
        expected="Keras layers in floating point",
    )


def _nessi_macs(call: Call) -> int:
    layer, shape = call.layer, call.outputs
    if isinstance(layer, _LAYERS.Dense | _LAYERS.EinsumDense):
        return math.prod(layer.kernel.shape) * _product(call, shape[:-1])
    if isinstance(layer, (*_CONVOLUTIONS, _LAYERS.RNN)):
        kernels = (own for own in parameters_of(layer) if own.name != "bias")
        return sum(math.prod(kernel.shape) for kernel in kernels) * _positions(call)
    if isinstance(layer, _GLOBAL_POOLING):
        return _product(call, call.inputs[0])
    if isinstance(layer, _POOLING):
        return _product(call, shape) * math.prod(layer.pool_size)
    if isinstance(layer, _LAYERS.Add):
        return _product(call, shape) * (len(call.inputs) - 1)
    return 0
