"""Networks in tf_keras and back."""

import functools

import keras
import numpy as np
import pytest
import tf_keras

from dcase_system.core.errors import InputError
from dcase_system.distillation.losses import DistillationLoss, pack_targets
from dcase_system.models import cp_mobile, registry
from dcase_system.models import tf_keras as bridge
from tests.pruning import own

L = keras.layers


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


def chain(*layers) -> keras.Model:
    inputs = x = keras.Input((6, 5, 3))
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 2, (2, 6, 5, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: own.Dense(4, name="it"), "layer it: layer has no counterpart .* received Dense"),
        (lambda: own.ReLU(name="it"), "layer it: layer has no counterpart .* received ReLU"),
        (
            lambda: L.Conv2D(4, 1, activation=own.relu, name="it"),
            "layer it: activation has no counterpart in tf_keras; expected Keras's linear, .*; "
            "received relu",
        ),
        (lambda: L.Dense(4, lambda x: x, name="it"), "layer it: activation .* received <lambda>"),
        (
            lambda: L.Dense(4, functools.partial(keras.activations.relu, max_value=1), name="it"),
            "layer it: activation .* received partial",
        ),
        (lambda: L.Dense(4, keras.ops.gelu, name="it"), "layer it: activation .* received gelu"),
        (lambda: L.Dense(4, "hard_sigmoid", name="it"), "layer it: activation .* hard_sigmoid"),
        (
            lambda: L.GlobalAveragePooling2D(data_format="channels_first", name="it"),
            "layer it: layer has options without counterpart .*; received channels_first",
        ),
        (
            lambda: L.Conv2D(4, 1, kernel_regularizer=own.Mine(0.1), name="it"),
            "layer it: layer has options .* no regularizer .*; received kernel_regularizer",
        ),
        (lambda: lambda x: x + 1.0, r"layer add\w*: layer has no counterpart .* received Add"),
    ],
)
def test_what_only_has_a_name_in_common_with_a_layer_of_keras_is_refused(layer, message):
    with pytest.raises(InputError, match=message) as refusal:
        bridge.to_tf_keras(chain(layer()))
    assert "\n" not in str(refusal.value)


def test_activations_are_computed_alike():
    for name in bridge._ACTIVATIONS:
        network = chain(L.Dense(3, name))
        expected = np.asarray(network(noise()))
        np.testing.assert_allclose(bridge.to_tf_keras(network)(noise()), expected, atol=1e-5)


def test_a_call_keeps_its_arguments_and_a_layer_its_flag():
    norm = L.BatchNormalization(name="norm")
    frozen = L.Dense(3, name="frozen", trainable=False)
    network = chain(lambda x: norm(x, training=False), frozen)
    bridged = bridge.to_tf_keras(network)
    np.testing.assert_allclose(bridged(noise(), training=True), network(noise()), atol=1e-5)
    assert [weight.name for weight in bridged.trainable_weights] == ["norm/gamma:0", "norm/beta:0"]


def test_a_sequential_network_is_bridged_like_a_functional_one():
    network = keras.Sequential([keras.Input((6, 5, 3)), L.Conv2D(4, 3), L.ReLU()])
    np.testing.assert_allclose(bridge.to_tf_keras(network)(noise()), network(noise()), atol=1e-5)


def test_a_given_loss_sees_the_logits_of_teachers():
    generator = np.random.default_rng(0)
    logits, labels = generator.normal(size=(6, 3)).astype(np.float32), np.eye(3)[[0, 1, 2, 0, 1, 2]]
    targets, loss = pack_targets(labels, generator.normal(size=(6, 3))), DistillationLoss()
    model = tf_keras.Sequential([tf_keras.layers.Activation("linear")])
    model.compile(loss=bridge.GivenLoss(loss))
    found = model.evaluate(logits, targets, batch_size=6, verbose=0)
    assert found == pytest.approx(float(loss(targets, logits)), rel=1e-5)
