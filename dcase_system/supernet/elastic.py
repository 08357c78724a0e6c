"""A CNN10 that runs at any width and depth: its layers use the first channels of full weights.

A tensor, not a Python value, selects the sub-network, so one traced graph serves all of them.
Kernels are sliced before use, so compute is proportional to width.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from dcase_system.core.errors import InputError
from dcase_system.models import cnn10
from dcase_system.parallel import replicas
from dcase_system.parallel.replicas import Dropout

# `training` uses batch statistics and dropout, `calibrating` batch statistics without dropout,
# `running` the moving statistics.
Mode = Literal["training", "calibrating", "running"]
Perturb = Callable[[tf.Tensor], tf.Tensor]

_EPSILON = 1e-5
_KEEP_IN_TRAINING = 0.9  # momentum of the moving statistics, per step


class ElasticConv2D(keras.layers.Layer):
    """3x3 convolution without bias that uses its first input and output channels.

    Input: (batch, mels, frames, in). Output: (batch, mels, frames, width).
    """

    def __init__(self, channels: int, width: int, **kwargs):
        super().__init__(**kwargs)
        self.kernel = self.add_weight(
            shape=(3, 3, channels, width), initializer="glorot_uniform", name="kernel"
        )
        self.built = True

    def call(self, inputs, width):
        kernel = tf.convert_to_tensor(self.kernel)[:, :, : tf.shape(inputs)[-1], :width]
        return tf.nn.conv2d(inputs, kernel, strides=1, padding="SAME")


class ElasticDense(keras.layers.Layer):
    """A dense layer that uses the first rows of its kernel: (batch, in) to (batch, units)."""

    def __init__(self, channels: int, units: int, **kwargs):
        super().__init__(**kwargs)
        self.kernel = self.add_weight(
            shape=(channels, units), initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight(shape=(units,), initializer="zeros", name="bias")
        self.built = True

    def call(self, inputs):
        kernel = tf.convert_to_tensor(self.kernel)[: tf.shape(inputs)[-1]]
        return tf.matmul(inputs, kernel) + self.bias


class ElasticBatchNormalization(keras.layers.Layer):
    """Batch norm that uses the first channels of full affine parameters and statistics.

    Every width updates the same moving statistics, so after training at many widths they fit none:
    see `calibration`.

    Args:
        width: Number of channels.
        of_shares: Whether each replica sees its share of a batch rather than all of it.
    """

    def __init__(self, width: int, of_shares: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.of_shares = of_shares
        self.gamma = self.add_weight(shape=(width,), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(width,), initializer="zeros", name="beta")
        self.moving_mean = self.add_weight(
            shape=(width,), initializer="zeros", trainable=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            shape=(width,), initializer="ones", trainable=False, name="moving_variance"
        )
        self.built = True

    def call(self, inputs, mode: Mode, keep):
        width = tf.shape(inputs)[-1]
        gamma, beta = _first(self.gamma, width), _first(self.beta, width)
        if mode == "running":
            outputs, _, _ = tf.compat.v1.nn.fused_batch_norm(
                inputs,
                scale=gamma,
                offset=beta,
                mean=_first(self.moving_mean, width),
                variance=_first(self.moving_variance, width),
                epsilon=_EPSILON,
                is_training=False,
            )
            return outputs
        with nullcontext() if self.of_shares else replicas.per_replica():
            outputs, *statistics = replicas.batch_norm(inputs, gamma, beta, _EPSILON)
        moving = self.moving_mean, self.moving_variance
        for variable, new in zip(moving, statistics, strict=True):
            old = tf.convert_to_tensor(variable)
            moved = keep * old[:width] + (1.0 - keep) * new
            variable.assign(tf.concat([moved, old[width:]], axis=0))
        return outputs


class ElasticCNN10(keras.layers.Layer):
    """All sub-networks of a CNN10 in one set of weights.

    `widths` selects a sub-network: int32 of shape (blocks, convolutions of the deepest block), the
    channels of each convolution, 0 for one left out (`widths_of`). Layers have the same names as in
    the ordinary network, so that weights can be copied between the two (`extract`).

    Args:
        spec: Spec of the largest sub-network.
        seed: Seed of dropout.
    """

    def __init__(self, spec: cnn10.CNN10Spec, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.spec = spec
        # Runs before `perturb`, which needs the whole batch.
        self.mel_bn = ElasticBatchNormalization(spec.input_shape[0], of_shares=False, name="mel_bn")
        channels, blocks = 1, []
        for block, block_widths in enumerate(spec.blocks, 1):
            layers = []
            for index, width in enumerate(block_widths, 1):
                convolution = ElasticConv2D(channels, width, name=f"block{block}_conv{index}")
                norm = ElasticBatchNormalization(width, name=f"block{block}_bn{index}")
                layers.append((convolution, norm))
                channels = width
            blocks.append(layers)
        self.blocks = blocks  # assigned at once: Keras does not track later appends
        self.pool = cnn10.MeanMelsPoolFrames(name="pool")
        self.embedding = ElasticDense(channels, spec.embedding, name="embedding")
        self.logits = ElasticDense(spec.embedding, spec.classes, name="logits")
        self.block_dropout = Dropout(spec.block_dropout, seed=seed)
        self.head_dropout = Dropout(spec.head_dropout, seed=None if seed is None else seed + 1)
        self.built = True

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """Layers with weights, by their names in the ordinary network."""
        layers: list[keras.layers.Layer] = [self.mel_bn, self.embedding, self.logits]
        layers += [layer for block in self.blocks for pair in block for layer in pair]
        return {layer.name: layer for layer in layers}

    def call(
        self,
        features,
        widths=None,
        mode: Mode = "running",
        keep=_KEEP_IN_TRAINING,
        perturb: Perturb | None = None,
    ):
        """Computes logits (batch, classes) of log-mels (batch, mels, frames, 1).

        Args:
            features: Log-mels from the front end.
            widths: Widths of the sub-network; by default the largest.
            mode: Source of batch norm statistics, and whether dropout is on.
            keep: Momentum of the moving statistics, where they are updated.
            perturb: Augmentation of the normalised log-mels, as in PANNs.
        """
        # The largest sub-network's widths are known at tracing, so its graph has no conditions.
        widths = self.widths_of(self.spec) if widths is None else widths
        x = tf.transpose(features, [0, 3, 2, 1])  # (batch, 1, frames, mels)
        x = tf.transpose(self.mel_bn(x, mode=mode, keep=keep), [0, 3, 2, 1])
        if perturb is not None:
            x = perturb(x)
        training = mode == "training"
        for block, (first, *others) in enumerate(self.blocks):
            x = self._layer(x, first, widths[block, 0], mode, keep)
            for index, layer in enumerate(others, 1):
                x = self._optional(x, layer, widths[block, index], mode, keep)
            x = tf.nn.avg_pool2d(x, 2, 2, "VALID")  # mels and frames are halved
            x = self.block_dropout(x, training=training)
        x = self.head_dropout(self.pool(x), training=training)  # (batch, channels)
        return self.logits(tf.nn.relu(self.embedding(x)))

    def _layer(self, x, layer, width, mode: Mode, keep):
        convolution, norm = layer
        return tf.nn.relu(norm(convolution(x, width), mode=mode, keep=keep))

    def _optional(self, x, layer, width, mode: Mode, keep):
        if isinstance(width, np.integer):
            return self._layer(x, layer, width, mode, keep) if width > 0 else x
        return tf.cond(width > 0, lambda: self._layer(x, layer, width, mode, keep), lambda: x)

    @property
    def widths_shape(self) -> tuple[int, int]:
        return len(self.spec.blocks), max(len(block) for block in self.spec.blocks)

    def widths_of(self, spec: cnn10.CNN10Spec) -> np.ndarray:
        """Returns the `widths` of the sub-network that a spec describes, for `call`.

        Raises:
            InputError: The spec is not a sub-network of this supernet.
        """
        widths = np.zeros(self.widths_shape, np.int32)
        fits = len(spec.blocks) == len(self.spec.blocks) and (
            spec.embedding,
            spec.classes,
            spec.input_shape[0],
        ) == (self.spec.embedding, self.spec.classes, self.spec.input_shape[0])
        for block, (own, full) in enumerate(zip(spec.blocks, self.spec.blocks, strict=False)):
            fits &= 1 <= len(own) <= len(full)
            fits &= all(1 <= width <= most for width, most in zip(own, full, strict=False))
            # The next block has kernel rows only for the full width of this block's last layer.
            fits = fits and own[-1] <= full[-1]
            if fits:
                widths[block, : len(own)] = own
        if not fits:
            raise InputError(
                "not a sub-network of this supernet",
                where="supernet",
                expected=f"at most {self.spec.blocks}, embedding {self.spec.embedding}, "
                f"{self.spec.classes} classes",
                received=f"{spec.blocks}, {spec.embedding}, {spec.classes}",
            )
        return widths


def _first(variable, width):
    return tf.convert_to_tensor(variable)[:width]
