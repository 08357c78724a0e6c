"""Which differences between two objects are found, and which do not count."""

import functools

import keras
import numpy as np
import pytest

from dcase_system.models.graph.likeness import first_difference
from tests.pruning import own

L = keras.layers


class Held:
    def __init__(self, **parts):
        vars(self).update(parts)


@pytest.mark.parametrize(
    ("mine", "its"),
    [
        (own.relu, keras.activations.relu),
        (own.times(2), own.times(3)),
        ([own.times(1), own.times(2)], [own.times(1), own.times(3)]),
        (functools.partial(own.times, 1), functools.partial(own.times, 2)),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([1, 2], [1]),
        ((1, 2), [1, 2]),
        (np.arange(3), np.arange(4)),
        (own.Swish(1.0), own.Swish(2.0)),
        (own.ReLU, L.ReLU),
        (2.0, 2),
        ("relu", "gelu"),
        (None, own.relu),
    ],
)
def test_different_values_differ(mine, its):
    found = first_difference(Held(x=mine), Held(x=its))
    assert found is not None
    assert found.startswith("x")


@pytest.mark.parametrize(
    ("mine", "its"),
    [
        (own.times(2), own.times(2)),
        (functools.partial(own.times, 2), functools.partial(own.times, 2)),
        (own.Swish(1.0), own.Swish(1.0)),
        (np.arange(3), np.arange(3)),
        ({"a": [1, (2, None)]}, {"a": [1, (2, None)]}),
        (keras.ops.ones(3), keras.ops.zeros(4)),  # what a call may leave
        (None, keras.ops.ones(3)),
        (Held(seed=1), Held(seed=2)),
        (keras.random.SeedGenerator(1), keras.random.SeedGenerator(2)),
    ],
)
def test_like_values_do_not(mine, its):
    assert first_difference(Held(x=mine), Held(x=its)) is None


def test_a_circle_ends():
    mine, its = Held(a=1), Held(a=1)
    mine.itself, its.itself = mine, its
    assert first_difference(mine, its) is None
    its.a = 2
    assert first_difference(mine, its) == "a"


def _block(width: int = 3) -> own.Block:
    block = own.Block(width)
    block(keras.KerasTensor((None, 4)))
    return block


def test_layers_are_compared_by_what_they_hold_down_to_the_innermost():
    mine, its = _block(), _block()
    assert first_difference(mine, its) is None
    assert first_difference(mine, _block(2)) == "width"
    its.squeeze.activation = keras.activations.relu
    assert first_difference(mine, its) == "squeeze.activation"
    its = _block()
    its.excite.kernel_regularizer = own.Mine(1.0)
    assert first_difference(mine, its) == "excite.kernel_regularizer"
