"""Embedding networks as `.tflite` files."""

import tensorflow as tf


def energies(waveform):
    """Mean power of each of four interleaved parts: (samples,) to (4,)."""
    return tf.reduce_mean(tf.square(tf.reshape(waveform, (-1, 4))), axis=0)


def tflite(path, shape, function=energies):
    """Writes a file that computes a function of a waveform, given in a shape; returns its path."""
    compute = tf.function(
        lambda waveform: function(tf.reshape(waveform, (-1,))),
        input_signature=[tf.TensorSpec(shape, tf.float32)],
    )
    concrete = compute.get_concrete_function()
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete], compute).convert())
    return path
