"""Networks of Wu & Lee's search (DCASE 2020 Task 1B): depthwise CNNs of two to four blocks.

A 3x3 stem, then blocks of one or two modules with a 2x2 pooling, global average pooling, and one
dense layer. A module is a depthwise-separable convolution (DSC) or an inverted residual with a
linear bottleneck (IRwLB) that triples its channels inside. The paper and the authors' code differ
in the stem (stride 1 and Swish, stride 2 and ReLU) and in the padding of 5x5 depthwise-separable
convolutions (their maps shrink by 2 in the code); `Variant` selects one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import keras

from dcase_system.core.checked import NotNegative
from dcase_system.core.errors import InputError
from dcase_system.models.layers import Activation, conv_bn, depthwise_bn

Variant = Literal["paper", "code"]
Pool = Literal["avg", "max"]
EXPANSION = 3
# Module codes of the authors' search: (kernel, whether it is an inverted residual).
MODULES: dict[int, tuple[int, bool]] = {1: (3, False), 2: (5, False), 3: (3, True), 4: (5, True)}


@dataclass(frozen=True)
class ModuleSpec:
    """Spec of one module.

    Attributes:
        kernel: Kernel size of the depthwise convolution, 3 or 5.
        channels: Output channels.
        expanded: Channels of the depthwise convolution in an inverted residual; 0 for a
            depthwise-separable convolution, which has those of its input.
        shortcut: Whether the input is added to the output. Explicit, because pruning may make
            widths equal in a module without a shortcut.
    """

    kernel: int
    channels: int
    expanded: NotNegative = 0
    shortcut: bool = False


@dataclass(frozen=True)
class SceneBlockSpec:
    """Spec of one block: its modules in order, and its 2x2 pooling, `avg` or `max`."""

    modules: tuple[ModuleSpec, ...]
    pool: str


@dataclass(frozen=True)
class SceneCNNSpec:
    """Spec of a network with all widths explicit.

    Attributes:
        stem_channels: Channels of the stem.
        blocks: Blocks in order.
        classes: Number of logits; each is followed by a sigmoid.
        input_shape: (bands, frames) of a segment.
        input_channels: Average and difference of the two ears.
        stem_stride: 1 in the paper, 2 in the authors' code.
        stem_activation: `swish` in the paper, `relu` in the authors' code.
        shrinking: Whether 5x5 depthwise-separable convolutions are padded by 1 only, so that the
            map loses 2 in both directions, as in the authors' code.
    """

    stem_channels: int
    blocks: tuple[SceneBlockSpec, ...]
    classes: int = 3
    input_shape: tuple[int, int] = (128, 128)
    input_channels: int = 2
    stem_stride: int = 1
    stem_activation: str = "swish"
    shrinking: bool = False

    def __post_init__(self):
        kernels = {module.kernel for block in self.blocks for module in block.modules}
        if not kernels <= {3, 5}:
            raise _wrong("kernel", "3 or 5", kernels)
        for block in self.blocks:
            if block.pool not in ("avg", "max"):
                raise _wrong("pool", "avg or max", block.pool)
        if self.stem_activation not in ("swish", "relu"):
            raise _wrong("stem_activation", "swish or relu", self.stem_activation)


def scene_spec(
    stem: int,
    blocks: Sequence[tuple[int, int, Pool]],
    growth: float,
    variant: Variant = "paper",
    *,
    classes: int = 3,
    input_shape: tuple[int, int] = (128, 128),
    input_channels: int = 2,
) -> SceneCNNSpec:
    """Builds the spec of a point in the search space (section 3 of the paper).

    A block's first module keeps the width w, the second changes it to int(growth * w); an
    inverted residual that keeps the width adds its input.

    Args:
        stem: Channels of the stem.
        blocks: (first module or 0 for none, second module, pooling) of each block; modules as in
            `MODULES`.
        growth: Factor of the width in each block.
        variant: Source of stem and padding.
        classes: Number of logits.
        input_shape: (bands, frames).
        input_channels: Channels of the features.
    """
    width, built = stem, []
    for first, second, pool in blocks:
        modules = [_module(first, width, width)] if first else []
        grown = int(growth * width)
        modules.append(_module(second, width, grown))
        built.append(SceneBlockSpec(tuple(modules), pool))
        width = grown
    code = variant == "code"
    return SceneCNNSpec(
        stem,
        tuple(built),
        classes,
        input_shape,
        input_channels,
        stem_stride=2 if code else 1,
        stem_activation="relu" if code else "swish",
        shrinking=code,
    )


def _module(kind: int, width: int, channels: int) -> ModuleSpec:
    kernel, inverted = MODULES[kind]
    if inverted:
        return ModuleSpec(kernel, channels, EXPANSION * width, shortcut=channels == width)
    return ModuleSpec(kernel, channels)


def scene_a() -> SceneCNNSpec:
    """Model A as the authors trained it: 111,306 parameters."""
    return scene_spec(76, [(4, 1, "avg"), (2, 2, "max")], 1.75, "code")


def scene_a_table3() -> SceneCNNSpec:
    """Model A as printed in Table 3, its first inverted residual 3x3: 107,658 parameters."""
    return scene_spec(76, [(3, 1, "avg"), (2, 2, "max")], 1.75, "paper")


def scene_b(variant: Variant = "code") -> SceneCNNSpec:
    """Model B as the authors trained it: 76,611 parameters."""
    blocks: list[tuple[int, int, Pool]] = [
        (0, 3, "avg"),
        (0, 1, "avg"),
        (2, 1, "avg"),
        (3, 1, "avg"),
    ]
    return scene_spec(64, blocks, 1.0, variant)


def scene_b_table3() -> SceneCNNSpec:
    """Model B as described in the paper: the modules of `scene_b`, at stride 1 with Swish."""
    return scene_b("paper")


def layer_names(spec: SceneCNNSpec) -> tuple[str, ...]:
    """Layer names as in Table 3 of the paper, with output channels in brackets."""
    names = [f"3 × 3 Stem Conv. ({spec.stem_channels})"]
    for block in spec.blocks:
        for module in block.modules:
            kind = "IRwLB" if module.expanded else "DSC"
            names.append(f"{module.kernel} × {module.kernel} {kind} ({module.channels})")
        names.append(f"2 × 2 {block.pool.capitalize()}Pool")
    return (*names, "GlobalAvgPool", "Fully Connected", f"{spec.classes}-way Sigmoid")


def module_name(block: int, position: int) -> str:
    """Name prefix of a module's layers; both numbers count from 1."""
    return f"block{block}_module{position}"


def build_scene_cnn(spec: SceneCNNSpec) -> keras.Model:
    """Builds the network: (batch, bands, frames, channels) features to (batch, classes) logits.

    Raises:
        InputError: The input is too small for the number of blocks, so a map would vanish.
    """
    if not has_maps(spec):
        raise _wrong("input_shape", "a size at which no map vanishes", spec.input_shape)
    inputs = keras.Input((*spec.input_shape, spec.input_channels), name="scalogram")
    stride = (spec.stem_stride, spec.stem_stride)
    activation: Activation = "relu" if spec.stem_activation == "relu" else "swish"
    x = conv_bn(inputs, spec.stem_channels, "stem", (3, 3), stride, activation)
    for index, block in enumerate(spec.blocks, 1):
        for position, module in enumerate(block.modules, 1):
            name = module_name(index, position)
            x = _inverted(x, module, name) if module.expanded else _separable(x, module, name, spec)
        pooling = (
            keras.layers.AveragePooling2D if block.pool == "avg" else keras.layers.MaxPooling2D
        )
        x = pooling((2, 2), name=f"block{index}_pool")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)  # (batch, channels)
    return keras.Model(inputs, keras.layers.Dense(spec.classes, name="logits")(x), name="scene_cnn")


def _separable(x, module: ModuleSpec, name: str, spec: SceneCNNSpec):
    kernel = (module.kernel, module.kernel)
    padded_for = (3, 3) if spec.shrinking else None
    x = depthwise_bn(x, f"{name}_depthwise", kernel, activation="swish", padded_for=padded_for)
    return conv_bn(x, module.channels, f"{name}_project", activation="swish")


def _inverted(inputs, module: ModuleSpec, name: str):
    x = conv_bn(inputs, module.expanded, f"{name}_expand", activation="swish")
    kernel = (module.kernel, module.kernel)
    x = depthwise_bn(x, f"{name}_depthwise", kernel, activation="swish")
    x = conv_bn(x, module.channels, f"{name}_project", activation=None)
    return keras.layers.Add(name=f"{name}_add")([x, inputs]) if module.shortcut else x


def map_sizes(spec: SceneCNNSpec) -> list[list[tuple[int, int]]]:
    """(bands, frames) of the maps after the stem and, per block, after each module and the pool."""
    bands, frames = (-(-size // spec.stem_stride) for size in spec.input_shape)
    sizes = [[(bands, frames)]]
    for block in spec.blocks:
        of_block = []
        for module in block.modules:
            lost = module.kernel - 3 if spec.shrinking and not module.expanded else 0
            bands, frames = bands - lost, frames - lost
            of_block.append((bands, frames))
        bands, frames = bands // 2, frames // 2
        sizes.append([*of_block, (bands, frames)])
    return sizes


def has_maps(spec: SceneCNNSpec) -> bool:
    """Whether every map of a network has a position left; a shrinking one may lose them all."""
    return all(min(size) >= 1 for sizes in map_sizes(spec) for size in sizes)


def _wrong(what: str, expected: object, received: object) -> InputError:
    return InputError(
        f"{what} does not fit", where="scene network", expected=expected, received=received
    )
