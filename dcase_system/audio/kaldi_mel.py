"""PaSST's mel front end as a Keras layer: pre-emphasis, kaldi's mel bank, a fixed normalisation."""

from functools import partial

import keras
import tensorflow as tf

from dcase_system.audio.log_mel import power_spectrogram
from dcase_system.audio.specs import NORMALISED_SCALE, NORMALISED_SHIFT, KaldiMelSpec


def kaldi_mel_bank(spec: KaldiMelSpec, min_hz, max_hz) -> tf.Tensor:
    """Kaldi's triangular filters, linear in mel = 1127 ln(1 + f / 700).

    Args:
        spec: Spec that determines the bins and the number of bands.
        min_hz: Lower edge of the first band, a number or a scalar tensor.
        max_hz: Upper edge of the last band, a number or a scalar tensor.

    Returns:
        (fft_length // 2 + 1, n_mels) float32; the Nyquist bin belongs to no band.
    """
    bins = tf.range(spec.fft_length // 2 + 1, dtype=tf.float64)
    mels = _mel(bins * (spec.sample_rate / spec.fft_length))[:, None]
    low, high = _mel(tf.cast(min_hz, tf.float64)), _mel(tf.cast(max_hz, tf.float64))
    step = (high - low) / (spec.n_mels + 1)
    left = low + tf.range(spec.n_mels, dtype=tf.float64)[None, :] * step
    bank = tf.nn.relu(tf.minimum((mels - left) / step, (left + 2.0 * step - mels) / step))
    is_nyquist = bins[:, None] == spec.fft_length // 2
    return tf.cast(tf.where(is_nyquist, tf.zeros_like(bank), bank), tf.float32)


@keras.saving.register_keras_serializable("dcase_system")
class KaldiMel(keras.layers.Layer):
    """Waveform to PaSST's input: (log(mel power + offset) + 4.5) / 5.

    Input: float waveforms (batch, samples), full scale = 1.
    Output: (batch, n_mels, frames, 1); 1 s at the default constants gives (batch, 128, 100, 1).

    Frames are centred, with reflected edges. The layer has no weights; if the spec gives ranges,
    training draws new edges of the mel bank for each batch.
    """

    def __init__(self, spec: KaldiMelSpec | dict | None = None, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.spec = KaldiMelSpec(**spec) if isinstance(spec, dict) else spec or KaldiMelSpec()
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        with tf.init_scope():  # a NumPy array even if the layer is created inside a graph
            self._bank = kaldi_mel_bank(self.spec, self.spec.min_hz, self.spec.max_hz).numpy()

    def call(self, waveforms, training=False):
        spec = self.spec
        emphasised = waveforms[:, 1:] - spec.pre_emphasis * waveforms[:, :-1]
        window = partial(tf.signal.hann_window, periodic=False)
        power = power_spectrogram(
            emphasised, spec.window_length, spec.hop_length, spec.fft_length, window
        )
        draws = training and (spec.min_hz_range > 1 or spec.max_hz_range > 1)
        mel = tf.matmul(power, self.transform(*self.draw()) if draws else self._bank)
        log_mel = tf.math.log(mel + spec.log_offset)
        normalised = (log_mel + NORMALISED_SHIFT) / NORMALISED_SCALE
        return tf.transpose(normalised, [0, 2, 1])[..., None]  # (batch, mels, frames, 1)

    def draw(self):
        """Draws the upward shift of the lower edge and the downward shift of the upper, in Hz."""
        ranges = (self.spec.min_hz_range, self.spec.max_hz_range)
        return [keras.random.randint((), 0, size, seed=self.seed_generator) for size in ranges]

    def transform(self, up, down):
        """Returns the mel bank with shifted edges."""
        spec = self.spec
        top = spec.max_hz + spec.max_hz_range // 2
        low = spec.min_hz + tf.cast(up, tf.float64)
        return kaldi_mel_bank(spec, low, top - tf.cast(down, tf.float64))

    def compute_output_shape(self, input_shape):
        samples = input_shape[1]
        return (input_shape[0], self.spec.n_mels, samples and self.spec.frames(samples), 1)

    def get_config(self):
        return {**super().get_config(), "spec": dict(vars(self.spec)), "seed": self.seed}


def _mel(hz):
    return 1127.0 * tf.math.log(1.0 + hz / 700.0)
