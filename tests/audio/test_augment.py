"""Augmentation against its formulas, given the same random draws."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.audio.augment import AxisMask, FreqMixStyle, TimeRoll

RNG = np.random.default_rng(0)
SPECTROGRAMS = RNG.normal(size=(5, 12, 9, 1)).astype(np.float32)
LAYERS = [
    (TimeRoll(7, seed=1), RNG.normal(size=(5, 40)).astype(np.float32)),
    (AxisMask(1, 6, -9.0, seed=2), SPECTROGRAMS),
    (AxisMask(2, 4, -9.0, seed=3), SPECTROGRAMS),
    (FreqMixStyle(1.0, 0.3, seed=4), SPECTROGRAMS),
]
BY_NAME = pytest.mark.parametrize(
    ("layer", "inputs"), LAYERS, ids=["roll", "mel mask", "frame mask", "mixstyle"]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-40, 40), min_size=3, max_size=3))
def test_roll_is_numpys_roll(shifts):
    waveforms = np.arange(30, dtype=np.float32).reshape(3, 10)
    rolled = TimeRoll(40).transform(tf.constant(waveforms), tf.constant(shifts)).numpy()
    expected = [np.roll(row, shift) for row, shift in zip(waveforms, shifts, strict=True)]
    np.testing.assert_array_equal(rolled, expected)


def test_roll_draws_every_whole_shift_within_its_limits():
    (shifts,) = TimeRoll(3, seed=0).draw(tf.zeros((2_000, 5)))
    assert set(np.unique(shifts)) == set(range(-3, 4))


@pytest.mark.parametrize("axis", [1, 2])
def test_mask_covers_its_band_and_nothing_else(axis):
    starts, widths = (
        np.array([0, 2, 5, 8, 3.0], np.float32),
        np.array([1, 3, 0, 1, 4.0], np.float32),
    )
    masked = AxisMask(axis, 6, -9.0).transform(tf.constant(SPECTROGRAMS), starts, widths).numpy()
    expected = SPECTROGRAMS.copy()
    for clip, (start, width) in enumerate(zip(starts.astype(int), widths.astype(int), strict=True)):
        band = (
            (clip, slice(start, start + width))
            if axis == 1
            else (clip, slice(None), slice(start, start + width))
        )
        expected[band] = -9.0
    np.testing.assert_array_equal(masked, expected)


def test_mask_draws_are_torchaudios():
    """Width in [0, max), start in [0, size - width], whole numbers, one pair a clip."""
    starts, widths = (
        draw.numpy() for draw in AxisMask(1, 6, seed=0).draw(tf.zeros((5_000, 12, 9, 1)))
    )
    assert set(np.unique(widths)) == set(range(6))
    assert starts.min() == 0
    assert (starts + widths <= 12).all()
    assert (starts == starts.round()).all()


def test_mask_of_width_zero_masks_nothing():
    layer = AxisMask(2, 0, -9.0, seed=0)
    np.testing.assert_array_equal(layer(SPECTROGRAMS, training=True), SPECTROGRAMS)


def test_mixstyle_is_its_formula():
    weights = np.array([0.0, 1.0, 0.3, 0.5, 0.9], np.float32)
    partners = np.array([3, 0, 1, 4, 2])
    layer = FreqMixStyle(1.0, 0.3)
    mixed = layer.transform(
        tf.constant(SPECTROGRAMS), True, tf.constant(weights), tf.constant(partners)
    ).numpy()
    for clip in range(5):
        for mel in range(12):
            own, other = SPECTROGRAMS[clip, mel, :, 0], SPECTROGRAMS[partners[clip], mel, :, 0]
            weight = weights[clip]
            deviations = [np.sqrt(row.var(ddof=1) + 1e-6) for row in (own, other)]
            mean = weight * own.mean() + (1 - weight) * other.mean()
            deviation = weight * deviations[0] + (1 - weight) * deviations[1]
            expected = (own - own.mean()) / deviations[0] * deviation + mean
            np.testing.assert_allclose(mixed[clip, mel, :, 0], expected, atol=1e-5)


def test_mixstyle_with_its_own_statistics_changes_nothing():
    layer = FreqMixStyle(1.0, 0.3)
    same = layer.transform(tf.constant(SPECTROGRAMS), True, tf.ones(5), tf.range(5)[::-1])
    np.testing.assert_allclose(same, SPECTROGRAMS, atol=1e-5)


def test_mixstyle_tosses_one_coin_for_the_batch():
    layer = FreqMixStyle(0.4, 0.3, seed=0)
    changed = []
    for _ in range(100):
        different = (
            np.abs(layer(SPECTROGRAMS, training=True).numpy() - SPECTROGRAMS).max(axis=(1, 2, 3))
            > 1e-3
        )
        changed.append(different.mean())
    assert np.mean(np.array(changed) > 0) == pytest.approx(0.4, abs=0.15)
    assert np.mean([share for share in changed if share > 0]) > 0.5


@BY_NAME
def test_inference_passes_through(layer, inputs):
    np.testing.assert_array_equal(layer(inputs, training=False), inputs)


@BY_NAME
def test_training_changes_and_repeats_with_the_seed(layer, inputs):
    first, second = (type(layer).from_config(layer.get_config()) for _ in range(2))
    changed = first(inputs, training=True).numpy()
    assert not np.array_equal(changed, inputs)
    np.testing.assert_array_equal(changed, second(inputs, training=True))
    assert not np.array_equal(changed, first(inputs, training=True).numpy())


@BY_NAME
def test_eager_and_graph_draw_the_same(layer, inputs):
    eager, traced = (type(layer).from_config(layer.get_config()) for _ in range(2))
    graph = tf.function(lambda x: traced(x, training=True))
    np.testing.assert_allclose(eager(inputs, training=True), graph(inputs), atol=1e-5)


@BY_NAME
def test_random_state_is_a_variable_of_the_layer(layer, inputs):
    one, other = (type(layer).from_config(layer.get_config()) for _ in range(2))
    one(inputs, training=True)
    for variable, value in zip(other.variables, one.variables, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(one(inputs, training=True), other(inputs, training=True))
