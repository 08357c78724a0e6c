"""Mixup: mixes pairs of examples and their targets."""

import keras
import tensorflow as tf


def draw_mix(examples, generator: keras.random.SeedGenerator):
    """Draws weights (examples,) ~ U(0, 1), which is Beta(1, 1), and a partner for each example."""
    weights = keras.random.uniform((examples,), seed=generator)
    return weights, keras.random.shuffle(tf.range(examples), seed=generator)


def mixed(values, weights, partners):
    """Computes weights * values + (1 - weights) * the partners' values, example by example."""
    weights = tf.reshape(weights, [-1] + [1] * (len(values.shape) - 1))
    return weights * values + (1.0 - weights) * tf.gather(values, partners)


class MixupTraining(keras.Model):
    """Trains a network on mixtures of the examples of each batch.

    Args:
        network: Network from features to logits; its weights are trained.
        seed: Seed for weights and partners.
    """

    def __init__(self, network: keras.Model, seed: int):
        super().__init__(name=f"mixup_{network.name}")
        self.network = network
        self.mixing = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        self.built = True  # the network already is

    def call(self, features, training=False):
        return self.network(features, training=training)

    def train_step(self, data):
        features, targets = data
        mix = draw_mix(tf.shape(features)[0], self.mixing)
        return super().train_step((mixed(features, *mix), mixed(targets, *mix)))
