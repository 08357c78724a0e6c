"""Mixup: mixes pairs of examples and their targets (Zhang et al. 2018)."""

from collections.abc import Callable

import keras
import tensorflow as tf


def draw_mix(examples, generator: keras.random.SeedGenerator, alpha: float = 1.0):
    """Draws weights (examples,) ~ Beta(alpha, alpha) and a partner for each example."""
    if alpha == 1.0:  # uniform, without drawing two gammas
        weights = keras.random.uniform((examples,), seed=generator)
    else:
        weights = keras.random.beta((examples,), alpha, alpha, seed=generator)
    return weights, keras.random.shuffle(tf.range(examples), seed=generator)


def mixed(values, weights, partners):
    """Computes weights * values + (1 - weights) * the partners' values, example by example."""
    weights = tf.reshape(weights, [-1] + [1] * (len(values.shape) - 1))
    return weights * values + (1.0 - weights) * tf.gather(values, partners)


class Mixup(keras.layers.Layer):
    """Mixes the examples of a batch and their targets alike, by weights ~ Beta(alpha, alpha).

    Args:
        alpha: Parameter of the Beta distribution.
        seed: Seed for weights and partners.
        mix_targets: Function like `mixed`, for targets that are not mixed linearly.
    """

    def __init__(self, alpha: float, seed: int, mix_targets: Callable = mixed):
        super().__init__()
        self.alpha, self.mix_targets = alpha, mix_targets
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, examples, targets):
        mix = draw_mix(tf.shape(examples)[0], self.seed_generator, self.alpha)
        return mixed(examples, *mix), self.mix_targets(targets, *mix)


class MixupTraining(keras.Model):
    """Trains a network on mixtures of the examples of each batch.

    Args:
        network: Network from examples to logits; its weights are trained.
        mixup: How examples and targets are mixed.
    """

    def __init__(self, network: keras.Model, mixup: Mixup):
        super().__init__(name=f"mixup_{network.name}")
        self.network, self.mixup = network, mixup

    def build(self, input_shape):
        self.built = True  # the network already is

    def call(self, examples, training=False):
        return self.network(examples, training=training)

    def train_step(self, data):
        return super().train_step(self.mixup(*data))
