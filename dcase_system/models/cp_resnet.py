"""CP-ResNet (Koutini et al., 2019-2021), the ResNet with a limited receptive field, as specs.

A teacher of CP-JKU's ensembles beside PaSST. A strided 5x5 stem, twelve residual blocks of two
convolutions each, and a 1x1 classifier whose logits are averaged over the map. Only the first
convolutions have 3x3 kernels, which limits the receptive field; all others have 1x1. The numbers
are those of kkoutini/cpjku_dcase20 and theMoro/DIRAugmentation. Weights start as in our other
networks, not by the published Fixup rule.
"""

from dataclasses import dataclass

import keras

from dcase_system.core.errors import InputError
from dcase_system.models.layers import conv_bn

_BLOCKS_PER_STAGE = 4
_MOST_WIDE = 22  # convolutions after the first block


@dataclass(frozen=True)
class ResBlockSpec:
    """Spec of one residual block.

    Attributes:
        inner: Channels between the two convolutions.
        channels: Output channels.
        kernels: Sizes of the two square kernels, 1 or 3.
        projected: Whether the shortcut is a 1x1 convolution. Explicit, because pruning may make
            widths equal in a block with one.
        pool: Window and stride of the max pooling after the block, (frequency, time); (1, 1) for
            none.
    """

    inner: int
    channels: int
    kernels: tuple[int, int] = (1, 1)
    projected: bool = False
    pool: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class CPResNetSpec:
    """Spec of a CP-ResNet with all widths explicit.

    Attributes:
        stem_channels: Channels of the stem.
        blocks: Blocks in order.
        classes: Number of logits.
        input_shape: (mel bands, frames).
        input_channels: Channels of the spectrogram: 1, or 2 for stereo as in DCASE 2020.
    """

    stem_channels: int
    blocks: tuple[ResBlockSpec, ...]
    classes: int = 10
    input_shape: tuple[int, int] = (256, 65)
    input_channels: int = 1

    def __post_init__(self):
        sizes = {size for block in self.blocks for size in block.kernels}
        if not sizes <= {1, 3}:
            raise _wrong("kernels", "1 or 3", max(sizes - {1, 3}))


def cp_resnet(
    base_channels: int = 128,
    rho: int = 7,
    pools: tuple[tuple[int, tuple[int, int]], ...] = ((1, (2, 2)), (2, (2, 2)), (4, (2, 2))),
) -> CPResNetSpec:
    """CP-ResNet by the published rules; the defaults, of DCASE 2020, give 3,956,628 parameters.

    Args:
        base_channels: Channels of the first of three stages; each following one doubles them.
        rho: Number of 3x3 convolutions after the first block, 0 to 22. The published name of the
            receptive field's size; 7 is about 135 x 135 bins.
        pools: Number of a block, from 1, and the pooling after it.
    """
    if not 0 <= rho <= _MOST_WIDE:
        raise _wrong("rho", f"0 to {_MOST_WIDE}", rho)
    sizes = iter([3, 1, *[3] * rho, *[1] * (_MOST_WIDE - rho)])
    blocks: list[ResBlockSpec] = []
    before = base_channels
    for stage in range(3):
        channels = base_channels * 2**stage
        for _ in range(_BLOCKS_PER_STAGE):
            pool = dict(pools).get(len(blocks) + 1, (1, 1))
            kernels = (next(sizes), next(sizes))
            blocks.append(ResBlockSpec(channels, channels, kernels, before != channels, pool))
            before = channels
    return CPResNetSpec(base_channels, tuple(blocks))


def cp_resnet_1s() -> CPResNetSpec:
    """CP-ResNet for clips of one second (theMoro/DIRAugmentation): pooled once, along frequency."""
    return cp_resnet(pools=((1, (2, 1)),))


def build_cp_resnet(spec: CPResNetSpec) -> keras.Model:
    """Builds the network: (batch, mels, frames, channels) log-mel to (batch, classes) logits.

    Raises:
        InputError: The input is so small that a map vanishes.
    """
    inputs = keras.Input((*spec.input_shape, spec.input_channels), name="log_mel")
    # Padded as for a 3x3 kernel, as published.
    x = conv_bn(inputs, spec.stem_channels, "stem", (5, 5), (2, 2), padded_for=(3, 3))
    for number, block in enumerate(spec.blocks, 1):
        x = _block(x, block, f"block{number}")
        if block.pool != (1, 1):
            if any(size < window for size, window in zip(x.shape[1:3], block.pool, strict=True)):
                raise _wrong("input_shape", "a size at which no map vanishes", spec.input_shape)
            x = keras.layers.MaxPooling2D(block.pool, name=f"block{number}_pool")(x)
    x = conv_bn(x, spec.classes, "head", activation=None)  # (batch, rows, columns, classes)
    logits = keras.layers.GlobalAveragePooling2D(name="logits")(x)
    return keras.Model(inputs, logits, name="cp_resnet")


def _block(inputs, block: ResBlockSpec, name: str):
    first, second = ((size, size) for size in block.kernels)
    x = conv_bn(inputs, block.inner, f"{name}_first", first)
    x = conv_bn(x, block.channels, f"{name}_second", second, activation=None)
    shortcut = inputs
    if block.projected:
        shortcut = conv_bn(inputs, block.channels, f"{name}_shortcut", activation=None)
    x = keras.layers.Add(name=f"{name}_add")([x, shortcut])
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _wrong(what: str, expected: object, received: object) -> InputError:
    return InputError(
        f"{what} does not fit", where="CP-ResNet", expected=expected, received=received
    )
