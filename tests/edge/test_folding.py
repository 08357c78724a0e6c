"""Batch norm and ReLU put into the layers before them."""

import keras
import numpy as np

from dcase_system.edge.folding import folded


def same(one, other, x):
    expected = np.asarray(one(x))
    np.testing.assert_allclose(np.asarray(other(x)), expected, atol=1e-5 * np.abs(expected).max())


def with_statistics(network):
    """Batch norms that hold what a training might leave."""
    generator = np.random.default_rng(0)
    for weight in network.weights:
        weight.assign(weight + 0.2 * np.abs(generator.normal(size=weight.shape)))
    return network


def test_a_folded_network_computes_the_same(network, contract, waveforms):
    features = np.asarray(contract.features(waveforms.gather(np.arange(4))))
    found = folded(with_statistics(keras.models.clone_model(network)))
    kinds = {type(layer).__name__ for layer in found.layers}
    assert "FusedBatchNormalization" not in kinds
    relus = [layer.name for layer in found.layers if type(layer) is keras.layers.ReLU]
    # Behind the sums of the shortcuts alone.
    assert relus == [f"block{index}_relu" for index in (1, 2, 3, 5)]
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
