"""The scalogram front end of Wu & Lee (DCASE 2020 Task 1B), as a Keras layer.

It applies a short-time Fourier transform to each ear, a wavelet filter bank over its bins, and
returns the average and the difference of the ears. The paper filters the log magnitude; the
authors' code filters the power and takes the logarithm afterwards.
"""

from dataclasses import asdict

import keras
import numpy as np
import tensorflow as tf

from dcase_system.audio.log_mel import decibels, power_spectrogram
from dcase_system.audio.specs import ScalogramSpec
from dcase_system.audio.wavelets import filter_bank


def code_scalogram(**fields) -> ScalogramSpec:
    """Spec of the authors' code, which filters power and pads the last segment with -80."""
    return ScalogramSpec(**{"log_first": False, "tail_value": -80.0, **fields})


@keras.saving.register_keras_serializable("dcase_system")
class Scalogram(keras.layers.Layer):
    """Maps waveforms of two ears to the average and difference of their scalograms.

    Input: float waveforms (batch, samples, 2), full scale = 1.
    Output: (batch, bands, frames, 2); 10 s at the default constants gives (batch, 128, 1001, 2).
    Band 0 is the low-pass; the wavelets follow from the lowest to the highest. The output is not
    normalised, and the layer has no weights.
    """

    def __init__(self, spec: ScalogramSpec | dict | None = None, **kwargs):
        super().__init__(**kwargs)
        self.spec = ScalogramSpec(**spec) if isinstance(spec, dict) else spec or ScalogramSpec()
        bank = filter_bank(self.spec.fft_length, self.spec.octaves, self.spec.per_octave)
        bins = self.spec.fft_length // 2 + 1
        self._bank = bank[:, :bins].T.astype(np.float32)  # (bins, bands)

    def call(self, waveforms):
        left, right = self._one_ear(waveforms[..., 0]), self._one_ear(waveforms[..., 1])
        both = tf.stack([(left + right) / 2.0, left - right], axis=-1)
        return tf.transpose(both, [0, 2, 1, 3])  # (batch, bands, frames, 2)

    def _one_ear(self, waveforms):
        """Maps (batch, samples) to (batch, frames, bands)."""
        spec = self.spec
        power = power_spectrogram(
            waveforms,
            spec.window_length,
            spec.hop_length,
            spec.fft_length,
            tf.signal.hamming_window,
        )
        if spec.log_first:
            return tf.matmul(decibels(power, spec.smallest_power), self._bank)
        levels = decibels(tf.matmul(power, self._bank), spec.smallest_power)
        return tf.maximum(levels, tf.reduce_max(levels, [1, 2], keepdims=True) - spec.range_db)

    def compute_output_shape(self, input_shape):
        samples = input_shape[1]
        return (input_shape[0], self.spec.bands, samples and self.spec.frames(samples), 2)

    def get_config(self):
        return {**super().get_config(), "spec": asdict(self.spec)}


def cut_segments(features, spec: ScalogramSpec) -> tf.Tensor:
    """Cuts (clips, bands, frames, 2) into (clips, segments, bands, segment frames, 2).

    Raises:
        InputError: The clips are shorter than a segment.
    """
    _, bands, frames, channels = features.shape
    count = spec.segments((frames - 1) * spec.hop_length)
    length = count * spec.segment_frames
    kept = features[:, :, :length]
    if kept.shape[2] < length and spec.tail_value is not None:
        missing = ((0, 0), (0, 0), (0, length - kept.shape[2]), (0, 0))
        kept = tf.pad(kept, missing, constant_values=spec.tail_value)
    split = tf.reshape(kept, (-1, bands, count, spec.segment_frames, channels))
    return tf.transpose(split, (0, 2, 1, 3, 4))
