"""Networks in tf_keras and back."""

import numpy as np
import pytest
import tf_keras

from dcase_system import bridge
from dcase_system.distillation.losses import DistillationLoss, pack_targets
from dcase_system.errors import InputError
from dcase_system.models import cp_mobile, registry


@pytest.mark.parametrize("name", ["cp_mobile", "sscp_mobile_s1"])
def test_the_bridged_network_computes_the_same(name):
    spec = registry.named_spec(name)
    network = registry.build_fixed(spec)
    for weight in network.weights:  # statistics of batch norm that are not those of a fresh one
        weight.assign(weight + 0.1 * np.abs(np.random.default_rng(1).normal(size=weight.shape)))
    x = np.random.default_rng(0).normal(size=(2, *network.input_shape[1:])).astype(np.float32)
    expected = np.asarray(network(x))
    found = np.asarray(bridge.to_tf_keras(network)(x))
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_a_layer_without_counterpart_is_named():
    network = registry.build_fixed(cp_mobile.cp_mobile_2023())
    with pytest.raises(InputError, match=r"layer block1_\w+: layer has no counterpart in tf_keras"):
        bridge.to_tf_keras(network)


def test_a_given_loss_sees_the_logits_of_teachers():
    generator = np.random.default_rng(0)
    logits, labels = generator.normal(size=(6, 3)).astype(np.float32), np.eye(3)[[0, 1, 2, 0, 1, 2]]
    targets, loss = pack_targets(labels, generator.normal(size=(6, 3))), DistillationLoss()
    model = tf_keras.Sequential([tf_keras.layers.Activation("linear")])
    model.compile(loss=bridge.GivenLoss(loss))
    found = model.evaluate(logits, targets, batch_size=6, verbose=0)
    assert found == pytest.approx(float(loss(targets, logits)), rel=1e-5)
