"""Mixup: examples and their targets mixed in pairs."""

import keras
import tensorflow as tf


def draw_mix(examples, generator: keras.random.SeedGenerator):
    """Weights (examples,) ~ U(0, 1), which is Beta(1, 1), and a partner for each example."""
    weights = keras.random.uniform((examples,), seed=generator)
    return weights, keras.random.shuffle(tf.range(examples), seed=generator)


def mixed(values, weights, partners):
    """weights * values + (1 - weights) * those of the partners, example by example."""
    weights = tf.reshape(weights, [-1] + [1] * (len(values.shape) - 1))
    return weights * values + (1.0 - weights) * tf.gather(values, partners)


class MixupTraining(keras.Model):
    """A network that is trained on mixtures of the examples of each batch.

    Args:
        network: features to logits; its weights are trained.
        seed: of the draws.
    """

    def __init__(self, network: keras.Model, seed: int):
        super().__init__(name=f"mixup_{network.name}")
        self.network = network
        self.mixing = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        self.built = True  # the network is

    def call(self, features, training=False):
        return self.network(features, training=training)

    def train_step(self, data):
        features, targets = data
        mix = draw_mix(tf.shape(features)[0], self.mixing)
        return super().train_step((mixed(features, *mix), mixed(targets, *mix)))
