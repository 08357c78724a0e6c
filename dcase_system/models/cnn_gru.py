"""The CNN-GRU of Tan et al. (SNTL-NTU, DCASE 2025 Task 1, second place) as a spec.

The input runs through a stem of separable convolutions with squeeze and excitation, then through
two paths that differ in their pooling, maximum or average, exchange a learned share after a second
pooling, and end in one mean. After a shuffled, widening convolution and one over frequency, a GRU
reads the channels one after the other: each is a step whose features are its frequency bins. The
classifier sees a learned mean of each channel and of the GRU's output for it.

The published repository (joesephgit/DCASE2025) carries no licence: only facts are taken from
it, the layers, their order and widths. Weights start as in our other networks.
"""

from dataclasses import dataclass

import keras

from dcase_system.core.errors import InputError
from dcase_system.models.layers import (
    DepthwiseConv2D,
    FusedBatchNormalization,
    LearnedMean,
    conv_bn,
    depthwise_bn,
    kaiming_normal,
    shuffle_channels,
)
from dcase_system.parallel.replicas import Dropout


@dataclass(frozen=True)
class CNNGRUSpec:
    """Spec of a CNN-GRU with all widths explicit; the defaults are the published network.

    Attributes:
        stem_inner: Channels of the first convolution.
        stem_channels: Channels that are shuffled in pairs, an even number; the stem doubles them.
        path_inner: Channels of each path's 1x1 convolution; the path doubles them, then the
            convolution after the paths doubles them again.
        gru_steps: Channels that the GRU reads.
        gru_units: Units of the GRU.
        classes: Number of logits.
        input_shape: (mel bands, frames).
        map_dropout: Dropout rate of whole channels before the last convolution.
        gru_dropout: Dropout rate of whole steps after the GRU.
    """

    stem_inner: int = 7
    stem_channels: int = 12
    path_inner: int = 36
    gru_steps: int = 28
    gru_units: int = 64
    classes: int = 10
    input_shape: tuple[int, int] = (256, 33)
    map_dropout: float = 0.3
    gru_dropout: float = 0.5

    def __post_init__(self):
        if self.stem_channels % 2:
            raise _wrong("stem_channels", "an even number", self.stem_channels)
        if self.input_shape[0] < 16 or self.input_shape[1] < 8:
            raise _wrong("input_shape", "at least 16 bands and 8 frames", self.input_shape)


def build_cnn_gru(spec: CNNGRUSpec) -> keras.Model:
    """Builds the network: (batch, mels, frames, 1) log-mel to (batch, classes) logits."""
    inputs = keras.Input((*spec.input_shape, 1), name="log_mel")
    x = _stem(inputs, spec)  # (batch, mels, frames, 2 * stem_channels)
    paths = {name: _path(x, spec, name) for name in ("max", "mean")}
    # Each path keeps its own pooling and mixes in the other path's map, pooled the other path's
    # way; the two results are mixed once more.
    pooled = {
        (kind, path): _pooled(x, kind, f"{path}_path_{kind}")
        for path, x in paths.items()
        for kind in ("max", "mean")
    }
    mixed_max = LearnedMean(name="max_mixed")([pooled["max", "max"], pooled["max", "mean"]])
    mixed_mean = LearnedMean(name="mean_mixed")([pooled["mean", "mean"], pooled["mean", "max"]])
    x = LearnedMean(name="mixed")([mixed_mean, mixed_max])
    x = keras.layers.Add(name="joint_add")([conv_bn(x, x.shape[-1], "joint", activation=None), x])
    x = shuffle_channels(x, x.shape[-1] // 2, "joint")
    x = depthwise_bn(x, "last_depthwise", (5, 1), (2, 1), "swish", multiplier=2)
    x = Dropout(spec.map_dropout, (None, 1, 1, x.shape[-1]), name="map_dropout")(x)
    x = conv_bn(x, spec.gru_steps, "last", (5, 1), activation="swish")
    return keras.Model(inputs, _head(x, spec), name="cnn_gru")


def _stem(inputs, spec: CNNGRUSpec):
    x = conv_bn(inputs, spec.stem_inner, "stem_a", (3, 3), activation=None)
    x = conv_bn(x, spec.stem_channels, "stem_b", activation=None)
    x = shuffle_channels(x, spec.stem_channels // 2, "stem")
    # Published as one depthwise convolution that gives two channels for each, and one with groups
    # of two. Here the first and the second channels of all groups are apart, since Keras compiles
    # grouped convolutions with XLA. The sums are the same.
    halves = []
    for half in ("first", "second"):
        y = depthwise_bn(x, f"stem_{half}_frequency", (3, 1), activation=None)
        y = DepthwiseConv2D(
            (1, 3),
            padding="same",
            depth_multiplier=2,
            use_bias=False,
            depthwise_initializer=kaiming_normal(2 * y.shape[-1], (1, 3)),
            name=f"stem_{half}_time_conv",
        )(y)
        halves.append(y)
    x = keras.layers.Add(name="stem_add")(halves)
    x = FusedBatchNormalization(name="stem_time_bn")(x)
    x = keras.layers.Activation("silu", name="stem_swish")(x)
    return _squeeze_excite(x, "stem")


def _path(x, spec: CNNGRUSpec, kind: str):
    name = f"{kind}_path"
    x = conv_bn(_pooled(x, kind, name), spec.path_inner, name, activation=None)
    x = depthwise_bn(x, f"{name}_frequency", (5, 1), activation=None, multiplier=2)
    x = depthwise_bn(x, f"{name}_time", (1, 5), (2, 2), "swish")
    return _squeeze_excite(x, name)


def _pooled(x, kind: str, name: str):
    layer = {"max": keras.layers.MaxPooling2D, "mean": keras.layers.AveragePooling2D}[kind]
    return layer((2, 2), name=f"{name}_pool")(x)


def _squeeze_excite(x, name: str):
    """Scales each channel by a factor in (0, 1) that depends on the means of all."""
    channels = x.shape[-1]
    y = keras.layers.GlobalAveragePooling2D(name=f"{name}_squeeze")(x)
    y = keras.layers.Dense(channels // 2, "relu", name=f"{name}_reduce")(y)
    y = keras.layers.Dense(channels, "sigmoid", name=f"{name}_excite")(y)
    y = keras.layers.Reshape((1, 1, channels), name=f"{name}_factors")(y)
    return keras.layers.Multiply(name=f"{name}_scale")([x, y])


def _head(x, spec: CNNGRUSpec):
    bands, frames, channels = x.shape[1:]
    x = keras.layers.AveragePooling2D((1, frames), name="frames_mean")(x)
    x = keras.layers.Reshape((bands, channels), name="bands")(x)
    steps = keras.layers.Permute((2, 1), name="steps")(x)  # (batch, channels, bands)
    # Unrolled, because a loop would be converted to a subgraph, which is not quantised.
    y = keras.layers.GRU(spec.gru_units, return_sequences=True, unroll=True, name="gru")(steps)
    y = Dropout(spec.gru_dropout, (None, channels, 1), name="gru_dropout")(y)
    means = [keras.ops.mean(sequence, axis=-1) for sequence in (steps, y)]  # (batch, channels)
    x = keras.layers.Activation("silu", name="head_swish")(LearnedMean(name="head_mixed")(means))
    return keras.layers.Dense(spec.classes, name="logits")(x)


def _wrong(what: str, expected: object, received: object) -> InputError:
    return InputError(f"{what} does not fit", where="CNN-GRU", expected=expected, received=received)
