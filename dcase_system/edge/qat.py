"""Quantization-aware training with TF-MOT: trains a network with the rounding of its int8 file.

A configuration for each layer replaces TF-MOT's default 8-bit settings, for three reasons: the
defaults quantize a depthwise kernel as a whole, where the file has a scale per channel; their
ranges start at [-6, 6] and take thousands of steps to adapt; and a batch norm that is not folded
is rounded with batch statistics. So batch norm is folded first, ranges are calibrated on training
clips as for post-training files and stay fixed, and only weights are trained.

Imports tf_keras, which takes seconds: import this module where it is needed.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.quantization import keras as tfmot

from dcase_system.core.errors import InputError
from dcase_system.edge.folding import folded
from dcase_system.edge.pooling import with_convolved_pooling
from dcase_system.edge.post_training import biases, corrected
from dcase_system.edge.quantisation import Observer, Range
from dcase_system.edge.tflite import converted_function
from dcase_system.models.tf_keras import DepthwiseConv2D, to_tf_keras

_LARGEST = 127  # kernels are quantized symmetrically
_BATCH = 16
# The weight that is rounded, by layer; None for layers that only round their output.
_ROUNDED: dict[type, str | None] = {
    tf_keras.layers.Conv2D: "kernel",
    DepthwiseConv2D: "depthwise_kernel",
    tf_keras.layers.Dense: "kernel",
    tf_keras.layers.ReLU: None,
    tf_keras.layers.Add: None,
    tf_keras.layers.GlobalAveragePooling2D: None,
}
# These pass values on at the same scale.
_PASSING = (
    tf_keras.layers.ZeroPadding2D,
    tf_keras.layers.AveragePooling2D,
    tf_keras.layers.MaxPooling2D,
    tf_keras.layers.Dropout,
)


class _KernelRounding(tfmot.quantizers.Quantizer):
    """Rounds to 255 steps per output channel; gradients pass straight through."""

    def __init__(self, axes: tuple[int, ...]):
        self.axes = axes

    def build(self, tensor_shape, name, layer):
        return {}

    def __call__(self, inputs, training, weights, **kwargs):
        largest = tf.reduce_max(tf.abs(inputs), axis=self.axes, keepdims=True)
        step = tf.stop_gradient(tf.maximum(largest, 1e-9) / _LARGEST)
        return inputs + tf.stop_gradient(tf.round(inputs / step) * step - inputs)

    def get_config(self):
        return {"axes": self.axes}


class _Rounding(tfmot.QuantizeConfig):
    """Rounding of a layer.

    Args:
        kernel: Name of the rounded weight, or None.
        low: Lower end of the output's range; None leaves the output unrounded.
        high: Upper end of the output's range.
    """

    def __init__(self, kernel: str | None, low: float | None = None, high: float | None = None):
        self.kernel, self.low, self.high = kernel, low, high

    def _outputs(self) -> list:
        if self.low is None or self.high is None:
            return []
        return [_fixed(self.low, self.high)]

    def get_weights_and_quantizers(self, layer):
        if self.kernel is None:
            return []
        weight = getattr(layer, self.kernel)
        # A depthwise kernel (height, width, channels, 1) has its output channels on two axes.
        depthwise = self.kernel == "depthwise_kernel"
        axes = (0, 1) if depthwise else tuple(range(len(weight.shape) - 1))
        return [(weight, _KernelRounding(axes))]

    def get_activations_and_quantizers(self, layer):
        return [(layer.activation, x) for x in self._outputs()] if self.kernel else []

    def get_output_quantizers(self, layer):
        return [] if self.kernel else self._outputs()

    def set_quantize_weights(self, layer, quantize_weights):
        for weight in quantize_weights:
            setattr(layer, str(self.kernel), weight)

    def set_quantize_activations(self, layer, quantize_activations):
        for activation in quantize_activations:
            layer.activation = activation

    def get_config(self):
        return {"kernel": self.kernel, "low": self.low, "high": self.high}


def _fixed(low: float, high: float) -> tfmot.quantizers.Quantizer:
    return tfmot.quantizers.FixedQuantizer(
        num_bits=8, init_min=low, init_max=high, narrow_range=False
    )


def check_layers(network: keras.Model) -> None:
    """Rejects a network that cannot be trained so, before any other training.

    Raises:
        InputError: A layer has no counterpart in tf_keras or cannot be quantized.
    """
    for layer in to_tf_keras(folded(network)).layers:
        _is_rounded(layer)


@tf.autograph.experimental.do_not_convert
def quantised_model(network: keras.Model, calibration: np.ndarray) -> tf_keras.Model:
    """Builds the network in tf_keras with the rounding of an int8 file in its graph.

    Args:
        network: Functional network from features to logits.
        calibration: Features (clips, bands, frames, channels) of training clips that set the
            ranges.

    Raises:
        InputError: A layer has no counterpart in tf_keras or cannot be quantized.
    """
    plain = to_tf_keras(folded(network))
    ranges = _ranges(plain, calibration)

    def annotated(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        config = _Rounding(_ROUNDED.get(type(layer)), *ranges.get(layer.name, ()))
        return tfmot.quantize_annotate_layer(layer, config)

    with tfmot.quantize_scope({"_Rounding": _Rounding, "_KernelRounding": _KernelRounding}):
        model = tf_keras.models.clone_model(plain, clone_function=annotated)
        model.set_weights(plain.get_weights())
        model = tfmot.quantize_apply(model, quantized_layer_name_prefix="")
    # TF-MOT's own input range grows with every value, and augmentation makes larger values.
    (taken,) = (x for x in model.layers if type(x).__name__ == "QuantizeLayer")
    taken.quantizer = _fixed(*ranges[plain.input_names[0]])
    taken._name = "features"  # the default is numbered per process, and is written to the file
    _correct_biases(model, plain, calibration)
    return model


def converted(model: tf_keras.Model) -> bytes:
    """Converts a quantized model to int8, with the ranges and steps used in training."""
    return with_convolved_pooling(_file(model, int8=True))


def _file(model: tf_keras.Model, *, int8: bool) -> bytes:
    shape = (1, *model.input_shape[1:])
    # Not the model itself: a SavedModel would trace each of its layers, which takes a minute.
    return converted_function(
        lambda features: model(features, training=False),
        shape,
        "features",
        variables=model.variables,
        int8=int8,
    )


def _correct_biases(model: tf_keras.Model, plain: tf_keras.Model, calibration: np.ndarray) -> None:
    """Sets a quantized model's biases to those of its post-training int8 file."""
    inputs = [clip[None] for clip in calibration.astype(np.float32)]
    int8 = corrected(_file(model, int8=True), _file(plain, int8=False), inputs)
    (last,) = plain.output_names
    found = {_layer_name(name) or last: bias for name, bias in biases(int8).items()}
    for layer in model.layers:
        bias = getattr(getattr(layer, "layer", None), "bias", None)
        if bias is not None and layer.layer.name in found:
            bias.assign(found[layer.layer.name])


def _layer_name(tensor: str) -> str:
    """Returns the layer in `model/layer/BiasAdd;model/layer/...`; the file's output has none."""
    parts = tensor.split(";")[0].split("/")
    return parts[-2] if len(parts) > 1 else ""


def _ranges(plain: tf_keras.Model, calibration: np.ndarray) -> dict[str, Range]:
    """Returns the ranges of the input and of each rounded layer's output, by name."""
    names = [layer.name for layer in plain.layers if _is_rounded(layer)]
    probe = tf_keras.Model(plain.inputs, [plain.get_layer(name).output for name in names])
    taken = (plain.input_names[0], *names)
    observers = {name: Observer(np.random.default_rng(0)) for name in taken}
    for start in range(0, len(calibration), _BATCH):
        features = calibration[start : start + _BATCH]
        values: list[Any] = [features, *probe(features, training=False)]
        for observer, of_batch in zip(observers.values(), values, strict=True):
            for of_clip in np.asarray(of_batch):
                observer.add(of_clip)
    return {name: observer.range() for name, observer in observers.items()}


def _is_rounded(layer: tf_keras.layers.Layer) -> bool:
    known = (*_ROUNDED, *_PASSING, tf_keras.layers.InputLayer)
    if type(layer) not in known:
        raise InputError(
            "layer cannot be quantised",
            where=f"layer {layer.name}",
            expected=", ".join(kind.__name__ for kind in known[:-1]),
            received=type(layer).__name__,
        )
    return type(layer) in _ROUNDED
