"""YAMNet's log-mel front end (tensorflow/models, research/audioset/yamnet) as a Keras layer."""

import keras
import tensorflow as tf

from dcase_system.audio.decimation import decimate
from dcase_system.audio.specs import YamnetMelSpec


@keras.saving.register_keras_serializable("dcase_system")
class YamnetMel(keras.layers.Layer):
    """Waveform to YAMNet's input: log(mel magnitude + offset).

    Input: float waveforms (batch, samples), full scale = 1; shorter ones than a window are padded
    with silence.
    Output: (batch, n_mels, frames, 1); 1 s at the default constants gives (batch, 64, 98, 1).

    The layer has no weights.
    """

    def __init__(self, spec: YamnetMelSpec | dict | None = None, **kwargs):
        super().__init__(**kwargs)
        spec = YamnetMelSpec(**spec) if isinstance(spec, dict) else spec or YamnetMelSpec()
        self.spec = spec
        with tf.init_scope():  # a NumPy array even if the layer is created inside a graph
            self._bank = tf.signal.linear_to_mel_weight_matrix(
                spec.n_mels,
                spec.fft_length // 2 + 1,
                spec.sample_rate / spec.decimation,
                spec.min_hz,
                spec.max_hz,
            ).numpy()

    def call(self, waveforms):
        spec = self.spec
        spectrum = tf.signal.stft(
            self.decimate(waveforms),
            spec.window_length,
            spec.hop_length,
            spec.fft_length,
        )
        power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        mel = tf.matmul(tf.sqrt(power), self._bank)  # (batch, frames, mels)
        log_mel = tf.math.log(mel + spec.log_offset)
        return tf.transpose(log_mel, [0, 2, 1])[..., None]  # (batch, mels, frames, 1)

    def decimate(self, waveforms):
        """Low-pass filters and decimates: (batch, samples) to (batch, samples / decimation).

        What the filter's transition (7.5 to 8.5 kHz) lets through folds to above the last band.
        """
        spec = self.spec
        decimated = decimate(waveforms, spec.decimation)
        missing = tf.maximum(spec.window_length - tf.shape(decimated)[1], 0)
        return tf.pad(decimated, [[0, 0], [0, missing]])

    def compute_output_shape(self, input_shape):
        samples = input_shape[1]
        return (input_shape[0], self.spec.n_mels, samples and self.spec.frames(samples), 1)

    def get_config(self):
        return {**super().get_config(), "spec": dict(vars(self.spec))}
