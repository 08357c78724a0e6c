"""Low-pass filtering and decimation of waveforms inside a graph."""

import tensorflow as tf
from scipy.signal import firwin

_TAPS = 127  # from 32 to 16 kHz, the transition is 7.5 to 8.5 kHz
_KAISER_BETA = 5.65  # 60 dB


def decimate(waveforms, factor: int):
    """Keeps every `factor`-th sample of the low-passed waveforms.

    Args:
        waveforms: (batch, samples).
        factor: Input samples for each output sample, at least 1; 1 changes nothing.

    Returns:
        (batch, ceil(samples / factor)).
    """
    if factor == 1:
        return waveforms
    taps = firwin(_TAPS, 1.0 / factor, window=("kaiser", _KAISER_BETA)).astype("float32")
    half = _TAPS // 2
    padded = tf.pad(waveforms, [[0, 0], [half, half]])[..., None]
    return tf.nn.conv1d(padded, taps[:, None, None], factor, "VALID")[..., 0]
