"""Casting to a precision leaves what a network computes; see test_tflite.py for the rounding."""

import keras
import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.models.precision import cast_weights
from tests.pruning import own
from tests.pruning.networks import randomise

L = keras.layers


def network(*layers) -> keras.Model:
    inputs = x = keras.Input((5, 4))
    for layer in layers:
        x = layer(x)
    return randomise(keras.Model(inputs, L.Dense(2, own.relu)(x)))


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [L.Dense(6, own.relu), L.Activation(own.gelu)],
        lambda: [L.Lambda(lambda x: -x), own.ReLU(), own.Dense(3)],
        lambda: [own.Gain(2, own.relu), L.GRU(3, activation=own.relu)],
    ],
)
def test_what_a_user_has_made_computes_the_same(layers):
    original = network(*layers())
    x = np.random.default_rng(0).normal(0, 2, (3, 5, 4)).astype(np.float32)
    np.testing.assert_array_equal(cast_weights(original, "float32")(x), original(x))


def test_a_layer_that_cannot_be_copied_is_refused():
    with pytest.raises(InputError, match=r"layer secret_gain\w* .*: has weights and cannot"):
        cast_weights(network(own.SecretGain(own.relu)), "float16")
