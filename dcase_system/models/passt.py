"""PaSST (Koutini et al., 2021), the transformer behind the challenge's teachers, as specs.

A vision transformer (DeiT base, distilled) over overlapping patches of a log-mel spectrogram, with
separate embeddings for frequency and time, and patchout: patches dropped in training. The
published checkpoints' second head, `head_dist`, is unused by their forward pass and not built.
"""

from dataclasses import dataclass, replace

import keras

from dcase_system.core.checked import NotNegative
from dcase_system.core.errors import InputError
from dcase_system.models.passt_layers import (
    ClassTokens,
    MeanOfTokens,
    Patchout,
    PositionalGrid,
    SelfAttention,
    token_initializer,
)


@dataclass(frozen=True)
class PaSSTSpec:
    """Spec of a PaSST with all widths explicit; the defaults are passt_s_swa_p16_128_ap476's.

    Attributes:
        embed_dim: Channels of a token.
        depth: Number of transformer blocks.
        heads: Attention heads per block.
        mlp_dim: Channels inside a block's MLP.
        patch_size: (mel bands, frames) of a patch.
        strides: (mel bands, frames) between patches.
        input_shape: (mel bands, maximum frames) covered by positional embeddings; an input may have
            fewer frames.
        classes: Number of logits.
        patchout_mels: Rows of patches dropped in training.
        patchout_frames: Columns of patches dropped in training.
        patchout_patches: Single patches dropped in training.
        random_time_offset: Whether training places a short input at a random offset on the time
            axis of the positional embeddings; otherwise it is placed at their start.
    """

    embed_dim: int = 768
    depth: int = 12
    heads: int = 12
    mlp_dim: int = 3_072
    patch_size: tuple[int, int] = (16, 16)
    strides: tuple[int, int] = (10, 10)
    input_shape: tuple[int, int] = (128, 998)
    classes: int = 527
    patchout_mels: NotNegative = 0
    patchout_frames: NotNegative = 0
    patchout_patches: NotNegative = 0
    random_time_offset: bool = True

    def __post_init__(self):
        if self.embed_dim % self.heads:
            raise InputError(
                "embed_dim is not a multiple of heads",
                where="PaSST spec",
                expected=f"a multiple of {self.heads}",
                received=self.embed_dim,
            )

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, columns) of positional embeddings, by the published rule: size // stride."""
        return self.input_shape[0] // self.strides[0], self.input_shape[1] // self.strides[1]


def passt_s(stride: int = 10) -> PaSSTSpec:
    """PaSST-S: 85,358,612 parameters with ten classes and `head_dist` (7,690 of them)."""
    return PaSSTSpec(strides=(stride, stride))


def passt_l() -> PaSSTSpec:
    """PaSST-L ("light"): PaSST-S with seven blocks."""
    return replace(passt_s(), depth=7)


def passt_tiny() -> PaSSTSpec:
    """A small PaSST of our own for one-second clips, trained from scratch on a CPU.

    Its patches span the whole spectrum and do not overlap: 25 tokens per second. The published
    square patches give several times as many, and need pretraining.
    """
    return PaSSTSpec(
        embed_dim=128,
        depth=4,
        heads=4,
        mlp_dim=384,
        patch_size=(128, 4),
        strides=(128, 4),
        input_shape=(128, 100),
        classes=10,
        random_time_offset=False,
    )


def with_room(spec: PaSSTSpec, frames: int) -> PaSSTSpec:
    """Extends the positional embeddings to cover at least this many frames."""
    columns = (frames - spec.patch_size[1]) // spec.strides[1] + 1
    if columns <= spec.grid[1]:
        return spec
    return replace(spec, input_shape=(spec.input_shape[0], columns * spec.strides[1]))


def build_passt(spec: PaSSTSpec) -> keras.Model:
    """Builds the network: (batch, mels, frames, 1) normalised log-mel to (batch, classes) logits.

    Accepts any number of frames up to that of the spec's positional embeddings.
    """
    inputs = keras.Input((spec.input_shape[0], None, 1), name="log_mel")
    x = _patches(inputs, spec)  # (batch, rows, columns, embed_dim)
    x = PositionalGrid(spec.grid, spec.random_time_offset, name="grid")(x)
    x = Patchout(spec.patchout_mels, spec.patchout_frames, spec.patchout_patches, name="patchout")(
        x
    )
    x = ClassTokens(name="tokens")(x)  # (batch, 2 + patches, embed_dim)
    for index in range(1, spec.depth + 1):
        x = _block(x, spec, f"block{index}")
    x = MeanOfTokens(name="features")(_norm(x, "norm"))  # (batch, embed_dim)
    x = _norm(x, "head_norm", epsilon=1e-5)
    return keras.Model(inputs, _dense(x, spec.classes, "logits"), name="passt")


def passt_features(network: keras.Model) -> keras.Model:
    """The same network with two outputs: logits and features (batch, embed_dim)."""
    return keras.Model(network.input, [network.output, network.get_layer("features").output])


def _patches(inputs, spec: PaSSTSpec):
    # PyTorch's default initialisation of a convolution: uniform in ±1 / sqrt(patch size).
    limit = (spec.patch_size[0] * spec.patch_size[1]) ** -0.5
    uniform = keras.initializers.RandomUniform
    return keras.layers.Conv2D(
        spec.embed_dim,
        spec.patch_size,
        spec.strides,
        kernel_initializer=uniform(-limit, limit),
        bias_initializer=uniform(-limit, limit),
        name="patches",
    )(inputs)


def _block(inputs, spec: PaSSTSpec, name: str):
    """Pre-norm transformer block with the exact GELU (erf)."""
    x = _dense(_norm(inputs, f"{name}_norm1"), 3 * spec.embed_dim, f"{name}_qkv")
    x = SelfAttention(spec.heads, name=f"{name}_attention")(x)
    x = _dense(x, spec.embed_dim, f"{name}_projection")
    inputs = keras.layers.Add(name=f"{name}_add1")([inputs, x])
    x = _dense(_norm(inputs, f"{name}_norm2"), spec.mlp_dim, f"{name}_mlp1")
    x = keras.layers.Activation(keras.activations.gelu, name=f"{name}_gelu")(x)
    x = _dense(x, spec.embed_dim, f"{name}_mlp2")
    return keras.layers.Add(name=f"{name}_add2")([inputs, x])


def _norm(x, name: str, epsilon: float = 1e-6):
    return keras.layers.LayerNormalization(epsilon=epsilon, name=name)(x)


def _dense(x, units: int, name: str):
    return keras.layers.Dense(units, kernel_initializer=token_initializer(), name=name)(x)
