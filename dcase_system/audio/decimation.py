"""Low-pass filtering and decimation of waveforms inside a graph."""

import tensorflow as tf

from dcase_system.audio.filters import low_pass


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
    taps = low_pass(factor)
    half = len(taps) // 2
    padded = tf.pad(waveforms, [[0, 0], [half, half]])[..., None]
    return tf.nn.conv1d(padded, taps[:, None, None], factor, "VALID")[..., 0]
