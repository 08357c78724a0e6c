"""Batch norm and ReLU put into the layers before them."""

import keras
import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.edge.folding import folded
from tests.pruning import own

L = keras.layers


def same(one, other, x):
    expected = np.asarray(one(x))
    np.testing.assert_allclose(np.asarray(other(x)), expected, atol=1e-5 * np.abs(expected).max())


def with_statistics(network):
    """Batch norms that hold what a training might leave."""
    generator = np.random.default_rng(0)
    for weight in network.weights:
        weight.assign(weight + 0.2 * np.abs(generator.normal(size=weight.shape)))
    return network


def test_a_folded_network_computes_the_same(network, signature, waveforms):
    features = np.asarray(signature.features(waveforms.gather(np.arange(4))))
    found = folded(with_statistics(keras.models.clone_model(network)))
    kinds = {type(layer).__name__ for layer in found.layers}
    assert "FusedBatchNormalization" not in kinds
    relus = [layer.name for layer in found.layers if type(layer) is keras.layers.ReLU]
    assert relus == ["block1_relu"]  # behind the sum of the one shortcut alone
    original = with_statistics(keras.models.clone_model(network))
    same(original, folded(original), features)


def test_only_what_nothing_else_reads_is_folded():
    norm, relu = keras.layers.BatchNormalization, keras.layers.ReLU
    inputs = keras.Input((6, 6, 2))
    shared = keras.layers.Conv2D(2, 1, name="shared")
    x = norm(name="first")(inputs)  # no convolution before it
    x = relu(name="first_relu")(norm(name="second")(shared(x)))
    x = norm(name="third", scale=False)(shared(x))  # called twice: one kernel, two batch norms
    y = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x)
    y = relu(name="y_relu")(norm(name="fourth", center=False)(y))  # folded
    z = keras.layers.Conv2D(4, 1, name="read_twice")(y)
    outputs = keras.layers.Add(name="sum")([z, norm(name="fifth")(z)])
    outputs = keras.layers.ReLU(6.0, name="capped")(
        norm(name="sixth")(keras.layers.Dense(3, use_bias=False, name="dense")(outputs))
    )
    network = with_statistics(keras.Model(inputs, outputs))
    found = folded(network)
    # Without the inputs, whose names are given anew.
    gone = {x.name for x in network.layers[1:]} - {x.name for x in found.layers}
    assert gone == {"fourth", "y_relu", "sixth"}
    same(network, found, np.random.default_rng(1).normal(size=(3, 6, 6, 2)).astype(np.float32))


def chain(*layers):
    inputs = x = keras.Input((6, 6, 4))
    for layer in layers:
        x = layer(x)
    return with_statistics(keras.Model(inputs, x))


class Norm(L.BatchNormalization):
    def call(self, inputs, training=None, mask=None):
        return -super().call(inputs, training=training, mask=mask)


class Capped(L.ReLU):
    def call(self, inputs):
        return keras.ops.minimum(super().call(inputs), 0.5)


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [own.Standardised(4, 1), L.BatchNormalization(), L.ReLU()],
        lambda: [L.Conv2D(4, 1), Norm(), L.ReLU()],
        lambda: [L.Conv2D(6, 1), L.BatchNormalization(axis=1), L.ReLU()],
        lambda: [L.Conv2D(4, 1), L.BatchNormalization(), Capped()],
        lambda: [L.Conv2D(4, 1), own.ReLU()],
        lambda: [L.Conv2D(4, 1, activation=own.relu), L.BatchNormalization()],
        lambda: [L.Conv2D(4, 1), lambda x: L.BatchNormalization()(x, training=True)],
        lambda: [L.Conv2D(4, 1), L.Lambda(lambda x: -x), L.ReLU()],
        lambda: [own.Gain(2, own.relu), L.Activation(own.gelu), L.Dense(4, lambda x: x * x)],
    ],
)
def test_what_a_user_has_made_is_neither_folded_nor_replaced(layers):
    network = chain(*layers())
    found = folded(network)
    assert len(found.layers) >= len(network.layers) - 1
    same(network, found, np.random.default_rng(1).normal(size=(3, 6, 6, 4)).astype(np.float32))


def test_a_layer_that_cannot_be_copied_is_refused():
    with pytest.raises(InputError, match=r"layer secret_gain\w* .*: has weights and cannot"):
        folded(chain(own.SecretGain(own.relu)))
