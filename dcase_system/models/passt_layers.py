"""Layers of PaSST: positional grid, patchout, class tokens, attention; tensors are channels-last.

Random behaviour (the time offset, the dropped patches) occurs in training only, is drawn once for
the whole batch, and keeps static shapes whenever the number of frames is known.
"""

import keras
import tensorflow as tf


def token_initializer() -> keras.initializers.Initializer:
    """Normal with deviation 0.02, as the published code initialises tokens and dense kernels."""
    return keras.initializers.RandomNormal(0.0, 0.02)


@keras.saving.register_keras_serializable("dcase_system")
class PositionalGrid(keras.layers.Layer):
    """Adds one embedding for the row and one for the column of each patch.

    Input and output: (batch, rows, columns, channels). There are embeddings for `grid[1]` columns;
    a shorter input uses the first ones or, in training with `random_offset`, a contiguous run that
    starts at random.

    Args:
        grid: (rows, columns) that have embeddings.
        random_offset: Whether training draws the first column at random.
        seed: Seed for the offsets; None takes one from Keras's global seed.
    """

    def __init__(self, grid: tuple[int, int], random_offset: bool, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.grid, self.random_offset, self.seed = tuple(grid), random_offset, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        rows, columns = self.grid
        if input_shape[1] != rows:
            raise ValueError(f"expected {rows} rows of patches, received {input_shape[1]}")
        shape, initializer = input_shape[-1], token_initializer()
        self.rows = self.add_weight((1, rows, 1, shape), initializer, name="rows")
        self.columns = self.add_weight((1, 1, columns, shape), initializer, name="columns")

    def call(self, inputs, training=False):
        columns = inputs.shape[2] if inputs.shape[2] is not None else tf.shape(inputs)[2]
        if isinstance(columns, int) and columns > self.grid[1]:
            raise ValueError(
                f"expected at most {self.grid[1]} columns of patches, received {columns}"
            )
        first = 0
        if training and self.random_offset:
            spare = self.grid[1] - columns
            first = keras.random.randint((), 0, spare + 1, seed=self.seed_generator)
        # A known size keeps the shape static although the start is random.
        run = tf.slice(self.columns, [0, 0, first, 0], [1, 1, columns, -1])
        return inputs + run + self.rows

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = {"grid": self.grid, "random_offset": self.random_offset, "seed": self.seed}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("dcase_system")
class Patchout(keras.layers.Layer):
    """Flattens patches to a sequence; training drops whole rows, whole columns and single patches.

    Input: (batch, rows, columns, channels). Output: (batch, patches, channels), row after row. The
    kept patches stay in order.

    Args:
        rows: Rows dropped (structured patchout along frequency).
        columns: Columns dropped (structured patchout along time).
        patches: Patches dropped from the remainder (unstructured patchout).
        seed: Seed for patchout; None takes one from Keras's global seed.
    """

    def __init__(self, rows: int = 0, columns: int = 0, patches: int = 0, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rows, self.columns, self.patches, self.seed = rows, columns, patches, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def kept(self, count, left_out: int):
        """Draws `count - left_out` of `count` positions, sorted."""
        if isinstance(count, int) and left_out >= count:
            raise ValueError(f"expected to leave out fewer than {count}, received {left_out}")
        shuffled = keras.random.shuffle(tf.range(count), seed=self.seed_generator)
        return tf.sort(shuffled[: count - left_out])

    def call(self, inputs, training=False):
        x = inputs
        for axis, left_out in ((2, self.columns), (1, self.rows)):
            if training and left_out:
                x = tf.gather(x, self.kept(_size(x, axis), left_out), axis=axis)
        count = _size(x, 1) * _size(x, 2)
        x = tf.reshape(x, [-1, count, x.shape[-1]])
        if training and self.patches:
            x = tf.gather(x, self.kept(count, self.patches), axis=1)
        return x

    def compute_output_shape(self, input_shape):
        batch, rows, columns, channels = input_shape
        return (batch, columns and rows * columns, channels)

    def get_config(self):
        own = {"rows": self.rows, "columns": self.columns, "patches": self.patches}
        return {**super().get_config(), **own, "seed": self.seed}


@keras.saving.register_keras_serializable("dcase_system")
class ClassTokens(keras.layers.Layer):
    """Prepends the class and the distillation token, each plus its own position embedding.

    Input: (batch, patches, channels). Output: (batch, 2 + patches, channels).
    """

    def build(self, input_shape):
        shape, initializer = input_shape[-1], token_initializer()
        self.classification = self.add_weight((1, 1, shape), initializer, name="class")
        self.distillation = self.add_weight((1, 1, shape), initializer, name="distillation")
        self.positions = self.add_weight((1, 2, shape), initializer, name="positions")

    def call(self, inputs):
        tokens = tf.concat([self.classification, self.distillation], axis=1) + self.positions
        return tf.concat([tf.repeat(tokens, tf.shape(inputs)[0], axis=0), inputs], axis=1)

    def compute_output_shape(self, input_shape):
        batch, patches, channels = input_shape
        return (batch, patches and patches + 2, channels)


@keras.saving.register_keras_serializable("dcase_system")
class SelfAttention(keras.layers.Layer):
    """Scaled dot-product attention over packed queries, keys and values; has no weights.

    Input: (batch, tokens, 3 * channels), with queries, keys and values in sequence, each head
    by head. Output: (batch, tokens, channels).
    """

    def __init__(self, heads: int, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def call(self, inputs):
        channels = inputs.shape[-1] // 3
        width = channels // self.heads
        packed = tf.reshape(inputs, [-1, _size(inputs, 1), 3, self.heads, width])
        queries, keys, values = tf.unstack(tf.transpose(packed, [2, 0, 3, 1, 4]))
        scores = tf.matmul(queries * width**-0.5, keys, transpose_b=True)
        mixed = tf.matmul(tf.nn.softmax(scores), values)  # (batch, heads, tokens, width)
        mixed = tf.transpose(mixed, [0, 2, 1, 3])
        return tf.reshape(mixed, [-1, _size(inputs, 1), channels])

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] // 3)

    def get_config(self):
        return {**super().get_config(), "heads": self.heads}


@keras.saving.register_keras_serializable("dcase_system")
class MeanOfTokens(keras.layers.Layer):
    """Mean of the first two of (batch, tokens, channels): the class and distillation tokens."""

    def call(self, inputs):
        return (inputs[:, 0] + inputs[:, 1]) / 2.0

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


def _size(x, axis: int):
    """Size along an axis: a number if it is known, a tensor otherwise."""
    return x.shape[axis] if x.shape[axis] is not None else tf.shape(x)[axis]
