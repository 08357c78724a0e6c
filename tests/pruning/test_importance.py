"""Importance against the formulas written out, and Taylor against numeric derivatives."""

import keras
import numpy as np
import pytest

from dcase_system.models.graph.read import channel_groups
from dcase_system.pruning.importance import (
    fpgm_importance,
    l1_importance,
    l2_importance,
    taylor_importance,
)
from tests.pruning.networks import conv, dense_net, random_inputs, randomise

L = keras.layers


def network() -> keras.Model:
    """One group of two convolutions and a depthwise one, and one of a transposed convolution."""
    inputs = keras.Input((4, 4, 2))
    x = L.Add()([conv(inputs, 3, "left", 2), conv(inputs, 3, "right")])
    x = L.DepthwiseConv2D(2, depth_multiplier=2, name="depthwise")(x)
    x = L.Conv2DTranspose(4, 1, name="transposed")(L.ReLU()(x))
    return randomise(keras.Model(inputs, L.Dense(2)(L.GlobalAveragePooling2D()(x))))


def filters(model: keras.Model, layer: str, axis: int) -> np.ndarray:
    kernel = np.asarray(model.get_layer(layer).kernel)
    return np.stack([kernel.take(c, axis).ravel() for c in range(kernel.shape[axis])])


def distances(rows: np.ndarray) -> np.ndarray:
    return np.array([sum(np.linalg.norm(one - other) for other in rows) for one in rows])


@pytest.mark.parametrize(
    ("importance", "measure"),
    [
        (l1_importance, lambda rows: np.abs(rows).sum(axis=1)),
        (l2_importance, lambda rows: np.sqrt((rows**2).sum(axis=1))),
        (fpgm_importance, distances),
    ],
    ids=["l1", "l2", "fpgm"],
)
def test_mean_over_the_members_of_a_group(importance, measure):
    model = network()
    scores = importance(model)
    members = [("left", -1), ("right", -1), ("depthwise", 2)]
    expected = np.mean([measure(filters(model, *member)) for member in members], axis=0)
    np.testing.assert_allclose(scores["left"], expected, rtol=1e-5)
    np.testing.assert_allclose(
        scores["transposed"], measure(filters(model, "transposed", 2)), rtol=1e-5
    )
    assert scores.keys() == {"left", "transposed"}


def test_geometric_median_is_taken_over_the_whole_layer_also_for_a_slice():
    inputs = keras.Input((4, 4, 2))
    parts = L.Concatenate()([conv(inputs, 2, "a"), conv(inputs, 3, "b")])
    whole = L.ReLU()(L.ReLU()(conv(inputs, 5, "whole")))
    model = randomise(keras.Model(inputs, conv(L.Add()([whole, parts]), 2, "head")))
    all_of_whole = distances(filters(model, "whole", -1))
    expected = (all_of_whole[2:] + distances(filters(model, "b", -1))) / 2
    np.testing.assert_allclose(fpgm_importance(model)["whole[2:5]"], expected, rtol=1e-5)


def test_taylor_is_the_squared_product_of_weight_and_numeric_gradient():
    keras.config.set_dtype_policy("float64")
    try:
        model = network()
        generator = np.random.default_rng(0)
        batches = [
            (generator.normal(size=(3, 4, 4, 2)), generator.normal(size=(3, 2))) for _ in range(2)
        ]
        scores = taylor_importance(model, batches, keras.losses.MeanSquaredError())
        expected = {
            "left": [_numeric(model, *member, batches) for member in _MEMBERS],
            "transposed": [_numeric(model, "transposed", 2, batches)],
        }
    finally:
        keras.config.set_dtype_policy("float32")
    for name, values in expected.items():
        np.testing.assert_allclose(scores[name], np.mean(values, axis=0), rtol=1e-4)


_MEMBERS = [("left", -1), ("right", -1), ("depthwise", 2)]


def _numeric(model, layer: str, axis: int, batches) -> np.ndarray:
    variable = model.get_layer(layer).kernel
    weights = np.asarray(variable).copy()
    total = np.zeros_like(weights)
    for inputs, targets in batches:
        gradient = np.zeros_like(weights)
        for position in np.ndindex(*weights.shape):
            losses = []
            for step in (1e-5, -1e-5):
                moved = weights.copy()
                moved[position] += step
                variable.assign(moved)
                losses.append(np.mean((np.asarray(model(inputs)) - targets) ** 2))
            gradient[position] = (losses[0] - losses[1]) / 2e-5
        total += (weights * gradient) ** 2 / len(batches)
    variable.assign(weights)
    others = tuple(index for index in range(total.ndim) if index != axis % total.ndim)
    return total.sum(axis=others)


def test_taylor_changes_nothing_in_the_network_and_needs_a_batch():
    model = randomise(dense_net())
    before = model.get_weights()
    scores = taylor_importance(
        model,
        [(random_inputs(model), np.ones((3, 5), np.float32))],
        keras.losses.mean_squared_error,
    )
    assert scores.keys() == {group.name for group in channel_groups(model)}
    assert all((values >= 0).all() and values.any() for values in scores.values())
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    with pytest.raises(ValueError, match="at least one batch"):
        taylor_importance(model, [], keras.losses.mean_squared_error)
