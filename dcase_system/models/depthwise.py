"""Depthwise convolution whose strides may differ by axis, on every device.

TensorFlow's kernels take one stride for both axes, on GPUs and on CPUs. On a CPU the oneDNN library
takes two, and TensorFlow uses it automatically, but only on some processors (AVX-512 VNNI and
later). TFLite takes two as well.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from math import gcd

import tensorflow as tf

_plain: ContextVar[bool | None] = ContextVar("plain", default=None)


@contextmanager
def single_op_depthwise(plain: bool) -> Iterator[None]:
    """Sets how depthwise convolutions with two strides are traced inside the context.

    By default they are traced as this machine's kernels allow.

    Args:
        plain: Whether to trace a single operation, as a TFLite converter needs; otherwise only
            operations that run everywhere.
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

    If the kernels do not take two strides, it is computed at the greatest common stride and the
    surplus outputs are dropped: twice the work for strides of 1 and 2.

    Args:
        inputs: (batch, height, width, channels).
        kernel: (height, width, channels, multiplier).
        strides: Strides of height and width.
        padding: `same` or `valid`.
        dilation_rate: Dilation of height and width; must be one unless both strides are 1.

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
    """TensorFlow's `same` padding: length / stride outputs, rounded up; an odd zero goes last."""
    paddings: list = [[0, 0]]
    for axis, (size, stride) in enumerate(zip(kernel[:2], strides, strict=True), 1):
        length = shape[axis]
        outputs = (length + stride - 1) // stride
        zeros = tf.maximum((outputs - 1) * stride + size - length, 0)
        paddings.append([zeros // 2, zeros - zeros // 2])
    return [*paddings, [0, 0]]


@cache
def _two_strides_run() -> bool:
    """Whether TensorFlow's kernels on this machine take two strides."""
    with tf.init_scope():
        try:
            tf.nn.depthwise_conv2d(
                tf.zeros((1, 2, 2, 1)), tf.zeros((1, 1, 1, 1)), (1, 2, 1, 1), "VALID"
            )
        except tf.errors.InvalidArgumentError:
            return False
    return True
