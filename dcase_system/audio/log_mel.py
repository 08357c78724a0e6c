"""The log-mel front end of the DCASE 2024 Task 1 baseline, as a Keras layer."""

from collections.abc import Callable

import keras
import tensorflow as tf

from dcase_system.audio.filters import DECIBELS, MelBlocks, htk_mel_bank, mel_blocks
from dcase_system.audio.specs import LogMelSpec


def power_spectrogram(
    waveforms, window_length: int, hop_length: int, fft_length: int, window: Callable
):
    """Power of centred frames: (batch, samples) to (batch, frames, fft_length // 2 + 1).

    `window` makes a window of a given length, as for `tf.signal.stft`.
    """
    # The FFT is longer than the window, but samples outside the window are multiplied by zero: half
    # a window of reflected samples is enough.
    half = window_length // 2
    padded = tf.pad(waveforms, [[0, 0], [half, half]], mode="REFLECT")
    spectrum = tf.signal.stft(padded, window_length, hop_length, fft_length, window)
    return tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))


def mel_power(power, blocks: MelBlocks):
    """Power of mel bands: (batch, frames, bins) to (batch, frames, bands)."""
    return tf.concat(
        [tf.matmul(power[..., begin:end], filters) for begin, end, filters in blocks], axis=-1
    )


def decibels(power, smallest_power: float):
    """10 log10(max(power, smallest_power)), elementwise."""
    return tf.math.log(tf.maximum(power, smallest_power)) * DECIBELS


@keras.saving.register_keras_serializable("dcase_system")
class LogMel(keras.layers.Layer):
    """Waveform to log-mel spectrogram: log(mel power + offset), not normalised.

    Input: float waveforms (batch, samples), full scale = 1.
    Output: (batch, n_mels, frames, 1); 1 s at the default constants gives (batch, 256, 65, 1).

    Frames are centred: the waveform is extended by reflection by half a window on each side
    (torchaudio's `center=True`). The layer has no weights.
    """

    def __init__(self, spec: LogMelSpec | dict | None = None, **kwargs):
        super().__init__(**kwargs)
        self.spec = LogMelSpec(**spec) if isinstance(spec, dict) else spec or LogMelSpec()
        self._blocks = mel_blocks(htk_mel_bank(self.spec))

    def call(self, waveforms):
        spec = self.spec
        power = power_spectrogram(
            waveforms, spec.window_length, spec.hop_length, spec.fft_length, tf.signal.hann_window
        )
        mel = mel_power(power, self._blocks)  # (batch, frames, mels)
        log_mel = tf.math.log(mel + spec.log_offset)
        return tf.transpose(log_mel, [0, 2, 1])[..., None]  # (batch, mels, frames, 1)

    def compute_output_shape(self, input_shape):
        samples = input_shape[1]
        return (input_shape[0], self.spec.n_mels, samples and self.spec.frames(samples), 1)

    def get_config(self):
        return {**super().get_config(), "spec": dict(vars(self.spec))}
