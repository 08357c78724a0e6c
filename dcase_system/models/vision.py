"""Vision networks that Wu & Lee compare their own with (Table 4), for scalograms.

MobileNet V1 and V2 are those of `keras.applications`, ShuffleNet V2 is in `shufflenet`. "We change
the number of input channels to 2 and the number of output classes to 3, other parts of the model
architectures remain unchanged." The paper calls the largest one "a CNN modified from AlexNet" of
33.8 MB; the modification is not published, so `AlexNetSpec` is our own design of that size.
"""

import warnings
from dataclasses import dataclass

import keras

from dcase_system.core.errors import InputError
from dcase_system.models.layers import FusedBatchNormalization, conv_bn

_SMALLEST = 32  # least bands and frames of a MobileNet
# Kernel and stride of AlexNet's convolutions, and whether a 3x3 max pooling follows each.
_CONVOLUTIONS = ((11, 4, True), (5, 1, True), (3, 1, False), (3, 1, False), (3, 1, True))
_DROPPED = 0.5  # before each dense layer of AlexNet


@dataclass(frozen=True)
class MobileNetSpec:
    """MobileNet at width 1, as `keras.applications` builds it.

    Attributes:
        version: 1 (Howard et al., 2017) or 2 (Sandler et al., 2018).
        classes: Number of logits.
        input_shape: (bands, frames) of a segment.
        input_channels: Average and difference of the two ears.
    """

    version: int
    classes: int = 3
    input_shape: tuple[int, int] = (128, 128)
    input_channels: int = 2

    def __post_init__(self):
        if self.version not in (1, 2):
            raise _wrong("version", "1 or 2", self.version)


@dataclass(frozen=True)
class AlexNetSpec:
    """AlexNet (Krizhevsky et al., 2012), modified: 8,854,403 parameters, 33.8 MB at float32.

    The five convolutions have their original kernels and widths, in one group. Differences:
    stride and pooling act on 128x128 inputs, each convolution is followed by batch norm instead of
    local response normalisation, and the dense layers have 1,536 and 1,024 units, not 4,096.

    Attributes:
        convolutions: Channels of the five convolutions.
        dense: Units of the dense layers before the last one.
        classes: Number of logits.
        input_shape: (bands, frames) of a segment; the first dense layer grows with it.
        input_channels: Average and difference of the two ears.
    """

    convolutions: tuple[int, ...] = (96, 256, 384, 384, 256)
    dense: tuple[int, ...] = (1536, 1024)
    classes: int = 3
    input_shape: tuple[int, int] = (128, 128)
    input_channels: int = 2

    def __post_init__(self):
        if len(self.convolutions) != len(_CONVOLUTIONS):
            raise _wrong("convolutions", len(_CONVOLUTIONS), len(self.convolutions))


def build_mobilenet(spec: MobileNetSpec) -> keras.Model:
    """Builds a MobileNet: (batch, bands, frames, channels) features to (batch, classes) logits.

    Its moving statistics use PyTorch's momentum, with which the paper's networks were trained.
    With the 0.999 of Keras's MobileNet V2 they still depend on their initial values after
    thousands of steps.

    Raises:
        InputError: The input has fewer than 32 bands or frames.
    """
    if min(spec.input_shape) < _SMALLEST:
        raise _wrong("input_shape", f"at least {_SMALLEST} bands and frames", spec.input_shape)
    applications = {1: keras.applications.MobileNet, 2: keras.applications.MobileNetV2}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*input channels")  # meant for images
        network = applications[spec.version](
            input_shape=(*spec.input_shape, spec.input_channels),
            weights=None,
            classes=spec.classes,
            classifier_activation=None,
            name=f"mobilenet_v{spec.version}",
        )
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = FusedBatchNormalization().momentum
    return network


def build_alexnet(spec: AlexNetSpec) -> keras.Model:
    """Builds the network: (batch, bands, frames, channels) features to (batch, classes) logits.

    Raises:
        InputError: The input is so small that a map vanishes.
    """
    x = inputs = keras.Input((*spec.input_shape, spec.input_channels), name="scalogram")
    for index, (channels, (kernel, stride, pooled)) in enumerate(
        zip(spec.convolutions, _CONVOLUTIONS, strict=True), 1
    ):
        x = conv_bn(x, channels, f"block{index}", (kernel, kernel), (stride, stride))
        if pooled:
            if min(x.shape[1:3]) < 3:
                raise _wrong("input_shape", "a size at which no map vanishes", spec.input_shape)
            x = keras.layers.MaxPooling2D((3, 3), (2, 2), name=f"block{index}_pool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    for index, units in enumerate(spec.dense, 1):
        x = keras.layers.Dropout(_DROPPED, name=f"drop{index}")(x)
        x = keras.layers.Dense(units, "relu", name=f"dense{index}")(x)
    return keras.Model(inputs, keras.layers.Dense(spec.classes, name="logits")(x), name="alexnet")


def _wrong(what: str, expected: object, received: object) -> InputError:
    return InputError(f"{what} does not fit", where="network", expected=expected, received=received)
