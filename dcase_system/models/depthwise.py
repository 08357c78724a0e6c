"""Depthwise convolution with a stride of its own for each axis, on every device.

TensorFlow's kernels take one stride for both axes, on GPUs and on CPUs. On a CPU the oneDNN library
takes two, and TensorFlow puts it in their place by itself, but only on processors of some kinds
(AVX-512 VNNI and later). TFLite takes two as well.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from math import gcd

import tensorflow as tf

_plain: ContextVar[bool | None] = ContextVar("plain", default=None)


@contextmanager
def traced_plainly(plain: bool) -> Iterator[None]:
    """What is traced within has one operation with two strides, or only what runs everywhere.

    By default it has what the kernels of this machine take.

    Args:
        plain: one operation, as a converter to TFLite wants it.
    """
    token = _plain.set(plain)
    try:
        yield
    finally:
        _plain.reset(token)


def depthwise_conv2d(
    inputs, kernel, strides: Sequence[int], padding: str, dilation_rate: Sequence[int] = (1, 1)
):
    """Depthwise convolution, channels last.

    Where the kernels do not take two strides, it is computed at the stride that both axes share,
    and the rest is left out: twice the work of such a layer for strides of 1 and 2.

    Args:
        inputs: (batch, height, width, channels).
        kernel: (height, width, channels, multiplier).
        strides: of height and width.
        padding: `same` or `valid`.
        dilation_rate: of height and width; one unless both strides are 1.

    Returns:
        (batch, height, width, channels * multiplier).
    """
    rows, columns = strides
    plain = _plain.get()
    if rows == columns or (_two_strides_run() if plain is None else plain):
        return tf.nn.depthwise_conv2d(
            inputs, kernel, (1, rows, columns, 1), padding.upper(), dilations=dilation_rate
        )
    if padding.lower() == "same":
        inputs = tf.pad(inputs, _same(tf.shape(inputs), kernel.shape, strides))
    shared = gcd(rows, columns)
    outputs = tf.nn.depthwise_conv2d(inputs, kernel, (1, shared, shared, 1), "VALID")
    return outputs[:, :: rows // shared, :: columns // shared]


def _same(shape, kernel: Sequence[int], strides: Sequence[int]) -> list:
    """TensorFlow's padding for `same`: as many outputs as strides begin, the odd zero behind."""
    paddings: list = [[0, 0]]
    for axis, (size, stride) in enumerate(zip(kernel[:2], strides, strict=True), 1):
        length = shape[axis]
        outputs = (length + stride - 1) // stride
        zeros = tf.maximum((outputs - 1) * stride + size - length, 0)
        paddings.append([zeros // 2, zeros - zeros // 2])
    return [*paddings, [0, 0]]


@cache
def _two_strides_run() -> bool:
    """Whether the kernels that TensorFlow uses here take two strides."""
    with tf.init_scope():
        try:
            tf.nn.depthwise_conv2d(
                tf.zeros((1, 2, 2, 1)), tf.zeros((1, 1, 1, 1)), (1, 2, 1, 1), "VALID"
            )
        except tf.errors.InvalidArgumentError:
            return False
    return True
