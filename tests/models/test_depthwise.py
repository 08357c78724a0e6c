"""Depthwise convolution with two strides: on kernels that take one, the same numbers."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.models import depthwise, registry
from dcase_system.models.depthwise import depthwise_conv2d, single_op_depthwise
from tests.commands import ROOT

GENERATOR = np.random.default_rng(0)


def by_hand(inputs, kernel, strides, padding):
    """In double precision, output by output."""
    height, width = kernel.shape[:2]
    if padding == "same":
        pads = []
        for length, size, stride in zip(inputs.shape[1:3], kernel.shape[:2], strides, strict=True):
            zeros = max(0, (-(-length // stride) - 1) * stride + size - length)
            pads.append((zeros // 2, zeros - zeros // 2))
        inputs = np.pad(inputs, [(0, 0), *pads, (0, 0)])
    rows = range(0, inputs.shape[1] - height + 1, strides[0])
    columns = range(0, inputs.shape[2] - width + 1, strides[1])
    values = [
        [
            np.einsum("bhwc,hwcm->bcm", inputs[:, y : y + height, x : x + width], kernel)
            for x in columns
        ]
        for y in rows
    ]
    return np.moveaxis(np.array(values), 2, 0).reshape(len(inputs), len(rows), len(columns), -1)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (1, 2), (2, 1), (4, 2), (3, 2), (1, 3)])
@pytest.mark.parametrize("kernel_size", [(3, 3), (3, 1), (1, 3), (2, 4), (1, 1)])
def test_what_runs_everywhere_is_the_convolution(kernel_size, strides, padding):
    inputs = GENERATOR.normal(size=(2, 9, 8, 3))
    kernel = GENERATOR.normal(size=(*kernel_size, 3, 2))
    with single_op_depthwise(False):
        given = [tf.constant(value, tf.float32) for value in (inputs, kernel)]
        outputs = depthwise_conv2d(*given, strides, padding)
    expected = by_hand(inputs, kernel, strides, padding)
    assert outputs.shape == expected.shape
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-5)


def operations(plain):
    network = registry.build(registry.named_spec("sscp_mobile_32"))
    with single_op_depthwise(plain):
        graph = tf.function(lambda x: network(x, training=False)).get_concrete_function(
            tf.TensorSpec((1, *network.input_shape[1:]))
        )
    return [op for op in graph.graph.get_operations() if op.type == "DepthwiseConv2dNative"]


def test_a_converter_gets_one_operation_and_the_others_what_every_device_has():
    def two_strides(found):
        return [op for op in found if len(set(op.get_attr("strides")[1:3])) > 1]

    plain, portable = operations(True), operations(False)
    assert len(plain) == len(portable) == 12
    assert len(two_strides(plain)) == 4
    assert not two_strides(portable)


@pytest.mark.parametrize("run", [True, False])
def test_a_network_is_traced_for_the_kernels_that_there_are(monkeypatch, run):
    if run and not depthwise._two_strides_run():
        pytest.skip("the kernels of this machine take one stride for both axes")
    features = GENERATOR.normal(size=(2, 256, 65, 1)).astype(np.float32)
    keras.utils.set_random_seed(0)
    network = registry.build(registry.named_spec("cp_mobile"))
    with single_op_depthwise(False):
        expected = network(features, training=False)
    monkeypatch.setattr(depthwise, "_two_strides_run", lambda: run)
    np.testing.assert_allclose(network(features, training=False), expected, rtol=0, atol=1e-4)


_WITHOUT = """
import numpy as np
import tensorflow as tf
from dcase_system.models.tf_keras import to_tf_keras
from dcase_system.models import depthwise, registry
from tests.toys import toy_student
network = registry.build(toy_student())
features = np.random.default_rng(0).normal(size=(4, *network.input_shape[1:])).astype(np.float32)
assert not depthwise._two_strides_run()
with tf.GradientTape() as tape:
    logits = network(features, training=True)
assert all(g is not None for g in tape.gradient(logits, network.trainable_variables))
logits = to_tf_keras(network)(features, training=False)
np.testing.assert_allclose(logits, network(features, training=False), rtol=0, atol=1e-4)
"""


@pytest.mark.slow
def test_networks_have_gradients_and_go_through_the_bridge_without_onednn():
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT],
        cwd=ROOT,
        env=os.environ | {"TF_ENABLE_ONEDNN_OPTS": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
