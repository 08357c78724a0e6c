"""Mean average precision by its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.core.errors import InputError
from dcase_system.training.multilabel import (
    average_precisions,
    chance_precision,
    clustered_intervals,
    mean_average_precision,
)


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Recall gained at each threshold times the precision there; equal scores are one threshold."""
    total, before = 0.0, 0
    for threshold in sorted(set(scores), reverse=True):
        taken = scores >= threshold
        found = (taken & positive).sum()
        total += (found - before) / positive.sum() * found / taken.sum()
        before = found
    return total


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    clips=st.integers(1, 60),
    classes=st.integers(1, 6),
    levels=st.sampled_from([1, 2, 5, 10**6]),
)
def test_it_is_the_mean_over_the_classes_that_occur(seed, clips, classes, levels):
    """Also where scores are equal, and where a class has no positive."""
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, levels, (clips, classes)) / levels
    labels = (generator.random((clips, classes)) < 0.3).astype(np.float32)
    labels[generator.integers(clips), generator.integers(classes)] = 1
    expected = [
        average_precision(scores[:, index], labels[:, index] == 1)
        for index in range(classes)
        if labels[:, index].any()
    ]
    assert mean_average_precision(scores, labels) == pytest.approx(np.mean(expected))


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_only_the_order_counts(seed):
    generator = np.random.default_rng(seed)
    logits, labels = generator.normal(size=(30, 3)), generator.random((30, 3)) < 0.5
    labels[0] = True
    probabilities = 1 / (1 + np.exp(-logits))
    assert mean_average_precision(logits, labels) == mean_average_precision(probabilities, labels)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (np.zeros((3, 2)), np.zeros((3, 2)), "no class has a positive clip"),
        (np.full((3, 2), np.nan), np.ones((3, 2)), "predictions are NaN"),
        (np.zeros((3, 2)), np.ones((2, 3)), "different shapes"),
    ],
)
def test_what_cannot_be_scored_is_refused(scores, labels, message):
    with pytest.raises(InputError, match=message):
        mean_average_precision(scores, labels)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([2, 10**6]))
def test_a_weighted_clip_counts_as_so_many_copies(seed, levels):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, levels, (12, 3)) / levels
    labels = generator.random((12, 3)) < 0.4
    weights = generator.integers(0, 4, (5, 12))
    found = average_precisions(scores, labels, weights)
    for row, counts in zip(found, weights, strict=True):
        rows = np.repeat(np.arange(12), counts)
        expected = [
            average_precision(scores[rows, one], labels[rows, one])
            if labels[rows, one].any()
            else np.nan
            for one in range(3)
        ]
        np.testing.assert_allclose(row, expected)
    np.testing.assert_array_equal(
        average_precisions(scores, labels), average_precisions(scores, labels, np.ones((1, 12)))[0]
    )


def test_intervals_resample_whole_recordings():
    generator = np.random.default_rng(0)
    labels = generator.random((40, 3)) < 0.5
    labels[:, 2] = False
    scores = labels + generator.normal(size=(40, 3))
    alone = [str(row) for row in range(40)]
    (low, high), (*_, never) = clustered_intervals(scores, labels, alone)
    assert low < mean_average_precision(scores, labels) < high
    assert never is None
    copies = np.repeat(np.arange(40), 5)
    same = clustered_intervals(scores[copies], labels[copies], [alone[row] for row in copies])
    np.testing.assert_allclose(same[0], (low, high))  # copies of a clip add nothing
    assert clustered_intervals(scores, labels, ["one"] * 40) is None


def test_scores_in_random_order_reach_the_chance_level_on_average():
    generator = np.random.default_rng(0)
    labels = generator.random((2_000, 3)) < np.array([0.5, 0.1, 0.0])
    found = [mean_average_precision(generator.random(labels.shape), labels) for _ in range(20)]
    assert chance_precision(labels) == pytest.approx(np.mean(found), abs=0.005)
