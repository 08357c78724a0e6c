"""The log-mel front end of PANNs (Kong et al., 2020), as a Keras layer."""

import keras
import tensorflow as tf

from dcase_system.audio.filters import mel_blocks, slaney_mel_bank
from dcase_system.audio.log_mel import decibels, mel_power, power_spectrogram
from dcase_system.audio.specs import PannsMelSpec


@keras.saving.register_keras_serializable("dcase_system")
class PannsMel(keras.layers.Layer):
    """Waveform to log-mel spectrogram in decibels: 10 log10(max(mel power, 1e-10)).

    Input: float waveforms (batch, samples), full scale = 1.
    Output: (batch, n_mels, frames, 1); 10 s at the default constants gives (batch, 64, 1001, 1).

    Frames are centred, with reflected edges. The layer has no weights.
    """

    def __init__(self, spec: PannsMelSpec | dict | None = None, **kwargs):
        super().__init__(**kwargs)
        self.spec = PannsMelSpec(**spec) if isinstance(spec, dict) else spec or PannsMelSpec()
        self._blocks = mel_blocks(slaney_mel_bank(self.spec))

    def call(self, waveforms):
        spec = self.spec
        power = power_spectrogram(
            waveforms,
            spec.window_length,
            spec.hop_length,
            spec.window_length,
            tf.signal.hann_window,
        )
        mel = mel_power(power, self._blocks)  # (batch, frames, mels)
        levels = decibels(mel, spec.smallest_power)
        return tf.transpose(levels, [0, 2, 1])[..., None]  # (batch, mels, frames, 1)

    def compute_output_shape(self, input_shape):
        samples = input_shape[1]
        return (input_shape[0], self.spec.n_mels, samples and self.spec.frames(samples), 1)

    def get_config(self):
        return {**super().get_config(), "spec": dict(vars(self.spec))}
