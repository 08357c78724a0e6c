"""Parameters and multiply-accumulates of a Keras model, layer by layer.

The official count of DCASE 2024 and 2025 is torchinfo's: a convolution costs its weights and
biases times its output positions; any other layer with parameters costs their number once (so batch
norm is 2C however large the map); activations, additions and pooling cost nothing; only trainable
parameters count. NeSsi's TFLite counter, which many participants quote, is given beside it: batch
norm is folded away, biases are free, and additions and pooling cost one operation an output element
or window cell.
"""

import math
from dataclasses import asdict, dataclass

import keras

from dcase_system.models.layers import GlobalResponseNormalization
from dcase_system.models.passt_layers import ClassTokens, PositionalGrid

BYTES_PER_PARAMETER = {"float32": 4, "float16": 2, "int8": 1}

_CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
)
# torchinfo reads `weight` and `bias`; what these layers hold goes by other names and is free.
_FREE = (GlobalResponseNormalization, PositionalGrid, ClassTokens)
_GLOBAL_POOLING = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)
_POOLING = (keras.layers.AveragePooling2D, keras.layers.MaxPooling2D)


@dataclass(frozen=True)
class LayerCount:
    """What one layer costs.

    Attributes:
        name: of the layer.
        kind: class of the layer.
        output_shape: without the batch.
        params: trainable parameters.
        macs: by the official rule.
        nessi_macs: by NeSsi's TFLite rule.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    params: int
    macs: int
    nessi_macs: int


@dataclass(frozen=True)
class Complexity:
    """What a model costs for one clip.

    Attributes:
        layers: those that have parameters or cost something.
        params: trainable parameters.
        macs: by the official rule (torchinfo).
        nessi_macs: by NeSsi's TFLite rule.
        nonzero_params: trainable parameters that are not zero (before training, the offsets of
            batch norm are).
    """

    layers: tuple[LayerCount, ...]
    params: int
    macs: int
    nessi_macs: int
    nonzero_params: int

    def bytes(self, precision: str) -> int:
        """Bytes of the parameters at `float32`, `float16` or `int8`."""
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
    """Counts a functional or sequential model at its own input shape.

    Raises:
        ValueError: an input dimension other than the batch is unknown.
    """
    layers = []
    for layer in _leaves(model):
        counted = _count_layer(layer)
        if counted.params or counted.macs or counted.nessi_macs:
            layers.append(counted)
    nonzero = sum(int((keras.ops.convert_to_numpy(w) != 0).sum()) for w in model.trainable_weights)
    return Complexity(
        layers=tuple(layers),
        params=sum(layer.params for layer in layers),
        macs=sum(layer.macs for layer in layers),
        nessi_macs=sum(layer.nessi_macs for layer in layers),
        nonzero_params=nonzero,
    )


def _leaves(model: keras.Model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer


def _count_layer(layer: keras.layers.Layer) -> LayerCount:
    shape = _output_shape(layer)
    params = sum(math.prod(weight.shape) for weight in layer.trainable_weights)
    macs, nessi_macs = 0 if isinstance(layer, _FREE) else params, 0
    if isinstance(layer, _CONVOLUTIONS):
        positions = math.prod(shape[:-1])
        macs = params * positions
        nessi_macs = math.prod(layer.kernel.shape) * positions
    elif isinstance(layer, keras.layers.Dense):
        nessi_macs = math.prod(layer.kernel.shape)
    elif isinstance(layer, _GLOBAL_POOLING):
        nessi_macs = math.prod(layer.input.shape[1:])
    elif isinstance(layer, _POOLING):
        nessi_macs = math.prod(shape) * math.prod(layer.pool_size)
    elif isinstance(layer, keras.layers.Add):
        nessi_macs = math.prod(shape) * (len(layer.input) - 1)
    return LayerCount(layer.name, type(layer).__name__, shape, params, macs, nessi_macs)


def _output_shape(layer: keras.layers.Layer) -> tuple[int, ...]:
    shape = tuple(layer.output.shape[1:])
    if None in shape:
        raise ValueError(f"layer {layer.name}: expected a known output shape, received {shape}")
    return shape
