"""Mixup, the L2 term, falling rates and recalibrated statistics."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.models.layers import FusedBatchNormalization
from dcase_system.training.batch_norm import recalibrate
from dcase_system.training.mixup import Mixup, MixupTraining, draw_mix, mixed
from dcase_system.training.optimizers import Adam


def test_mixed_is_the_weighted_sum_with_the_partner():
    values = np.random.default_rng(0).normal(size=(3, 2, 4)).astype(np.float32)
    weights, partners = np.array([0.0, 0.25, 1.0], np.float32), [2, 0, 1]
    expected = weights[:, None, None] * values + (1 - weights)[:, None, None] * values[partners]
    np.testing.assert_allclose(mixed(values, weights, partners), expected, rtol=1e-6)


def test_weights_are_of_the_beta_distribution():
    """Beta(alpha, alpha) has mean 1/2 and variance 1 / (8 alpha + 4)."""
    for alpha in (0.3, 1.0):
        weights, partners = draw_mix(20_000, keras.random.SeedGenerator(0), alpha)
        assert np.mean(weights) == pytest.approx(0.5, abs=0.01)
        assert np.var(weights) == pytest.approx(1 / (8 * alpha + 4), rel=0.03)
    assert sorted(partners.numpy()) == list(range(20_000))


def test_features_and_targets_are_mixed_alike():
    """A network that returns its input has no loss if inputs equal targets."""
    network = keras.Sequential([keras.Input((3,)), keras.layers.Identity()])
    model = MixupTraining(network, Mixup(0.3, seed=1))
    model.compile("sgd", keras.losses.MeanSquaredError(), jit_compile=False)
    x = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)
    model(x)
    assert float(model.train_step((x, x))["loss"]) < 1e-10
    assert float(model.train_step((x, x + np.arange(16, dtype=np.float32)[:, None]))["loss"]) > 1.0


def test_l2_is_pytorchs():
    """PyTorch's Adam(lr=0.1, weight_decay=0.5) on one parameter, three steps written out."""
    variable = keras.Variable([2.0])
    optimizer = Adam(0.1, l2=0.5, weight_decay=0.0, epsilon=1e-8)
    optimizer.build([variable])
    value, mean, square = 2.0, 0.0, 0.0
    for step in (1, 2, 3):
        optimizer.apply([tf.constant([0.3])])
        gradient = 0.3 + 0.5 * value
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        corrected = mean / (1 - 0.9**step), square / (1 - 0.999**step)
        value -= 0.1 * corrected[0] / (corrected[1] ** 0.5 + 1e-8)
        assert float(variable.numpy()[0]) == pytest.approx(value, abs=1e-5)


def test_recalibrated_statistics_are_those_of_the_examples():
    inputs = keras.Input((2, 2, 3))
    layer = FusedBatchNormalization()
    network = keras.Model(inputs, layer(inputs))
    x = np.random.default_rng(0).normal(5, 3, (30, 2, 2, 3)).astype(np.float32)
    recalibrate(network, [x[:10], x[10:]])
    np.testing.assert_allclose(layer.moving_mean, x.mean(axis=(0, 1, 2)), rtol=1e-5)
    parts = [x[:10].reshape(-1, 3).var(axis=0, ddof=1), x[10:].reshape(-1, 3).var(axis=0, ddof=1)]
    np.testing.assert_allclose(layer.moving_variance, (parts[0] + 2 * parts[1]) / 3, rtol=1e-4)
    assert layer.momentum == 0.9
