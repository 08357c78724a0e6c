"""Training-time augmentation as Keras layers that pass their input through at inference.

Each layer has its own seeded generator, whose state is among the layer's variables and thus in
every checkpoint: a resumed training draws the same random numbers as an uninterrupted one. Drawing
and formula are separate methods, so that tests can check the formula on known numbers.
"""

import keras
import tensorflow as tf


class _Augmentation(keras.layers.Layer):
    """Applies `transform` in training only."""

    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        return self.transform(inputs, *self.draw(inputs)) if training else inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def uniform(self, shape, low=0.0, high=1.0):
        return keras.random.uniform(shape, low, high, seed=self.seed_generator)

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable("dcase_system")
class TimeRoll(_Augmentation):
    """Rolls each waveform (batch, samples) by a whole number of samples in ±max_shift."""

    def __init__(self, max_shift: int, **kwargs):
        super().__init__(**kwargs)
        self.max_shift = max_shift

    def draw(self, waveforms):
        shape = (tf.shape(waveforms)[0],)
        steps = self.uniform(shape, -self.max_shift, self.max_shift + 1.0)
        return (tf.cast(tf.floor(steps), tf.int32),)

    def transform(self, waveforms, shifts):
        samples = tf.shape(waveforms)[1]
        # Row b is samples[-shift : -shift + n] of the row repeated: one gather for the batch.
        positions = tf.math.floormod(tf.range(samples)[None, :] - shifts[:, None], samples)
        return tf.gather(waveforms, positions, batch_dims=1)

    def get_config(self):
        return {**super().get_config(), "max_shift": self.max_shift}


@keras.saving.register_keras_serializable("dcase_system")
class AxisMask(_Augmentation):
    """Masks one band of each spectrogram (batch, mels, frames, 1) along one axis.

    Width ~ U[0, max_width), start ~ U[0, size - width), both truncated to whole bins, drawn for
    each clip (torchaudio's masks with `iid_masks=True`).

    Args:
        axis: 1 to mask mel bands, 2 to mask frames.
        max_width: Maximum width in bins; 0 masks nothing.
        value: Value of masked bins. The 2024 baseline sets the mel power to 0 before the logarithm,
            which is log(offset) after it.
    """

    def __init__(self, axis: int, max_width: int, value: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.max_width, self.value = axis, max_width, value

    def draw(self, spectrograms):
        shape = (tf.shape(spectrograms)[0],)
        size = tf.cast(tf.shape(spectrograms)[self.axis], tf.float32)
        widths = self.uniform(shape) * self.max_width
        starts = self.uniform(shape) * (size - widths)
        return tf.floor(starts), tf.floor(widths)

    def transform(self, spectrograms, starts, widths):
        bins = tf.range(tf.shape(spectrograms)[self.axis], dtype=tf.float32)[None, :]
        masked = (bins >= starts[:, None]) & (bins < (starts + widths)[:, None])  # (batch, bins)
        masked = masked[:, :, None, None] if self.axis == 1 else masked[:, None, :, None]
        return tf.where(masked, tf.constant(self.value, spectrograms.dtype), spectrograms)

    def get_config(self):
        own = {"axis": self.axis, "max_width": self.max_width, "value": self.value}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("dcase_system")
class FreqMixStyle(_Augmentation):
    """Freq-MixStyle: mixes frequency-wise statistics between clips of a batch.

    With probability p (one coin for the batch): x' = (x - mu) / sigma * sigma_mix + mu_mix, where
    mu and sigma are each clip's mean and deviation of each mel band, and the mixed ones interpolate
    with those of a random partner by lambda ~ Beta(alpha, alpha), drawn per clip. As in the 2024
    baseline: unbiased variance over (channels, frames), 1e-6 added to it.

    Input and output: (batch, mels, frames, 1).
    """

    def __init__(
        self, probability: float = 0.4, alpha: float = 0.3, epsilon: float = 1e-6, **kwargs
    ):
        super().__init__(**kwargs)
        self.probability, self.alpha, self.epsilon = probability, alpha, epsilon

    def draw(self, spectrograms):
        clips = tf.shape(spectrograms)[0]
        mix = self.uniform(()) < self.probability
        weights = keras.random.beta((clips,), self.alpha, self.alpha, seed=self.seed_generator)
        partners = keras.random.shuffle(tf.range(clips), seed=self.seed_generator)
        return mix, weights, partners

    def transform(self, spectrograms, mix, weights, partners):
        frames = tf.cast(tf.shape(spectrograms)[2], spectrograms.dtype)
        mean, variance = tf.nn.moments(
            spectrograms, axes=[2, 3], keepdims=True
        )  # (batch, mels, 1, 1)
        deviation = tf.sqrt(variance * frames / (frames - 1.0) + self.epsilon)
        weights = tf.reshape(weights, [-1, 1, 1, 1])
        mixed_mean = weights * mean + (1.0 - weights) * tf.gather(mean, partners)
        mixed_deviation = weights * deviation + (1.0 - weights) * tf.gather(deviation, partners)
        mixed = (spectrograms - mean) / deviation * mixed_deviation + mixed_mean
        return tf.where(mix, mixed, spectrograms)

    def get_config(self):
        own = {"probability": self.probability, "alpha": self.alpha, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
