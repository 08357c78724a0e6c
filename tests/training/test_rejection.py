"""The threshold for unknown sounds by its formula, and its scores by counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.training.rejection import Rejection, rejection_scores, rejection_threshold


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    clips=st.integers(1, 50),
    rate=st.floats(0, 0.999),
    ties=st.booleans(),
)
def test_it_is_the_largest_threshold_that_rejects_at_most_the_share(seed, clips, rate, ties):
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(3), clips)
    probabilities = probabilities.round(1) if ties else probabilities
    confidences = probabilities.max(axis=1)
    threshold = rejection_threshold(probabilities, rate)
    assert threshold in confidences
    assert (confidences < threshold).sum() <= rate * clips
    larger = confidences[confidences > threshold]
    if larger.size:
        assert (confidences < larger.min()).sum() > rate * clips - 1e-9


def test_scores_count_what_is_rejected():
    probabilities = np.array(
        [
            *([0.8, 0.1, 0.1], [0.5, 0.3, 0.2], [0.1, 0.7, 0.2], [0.2, 0.1, 0.7]),  # known
            *([0.1, 0.1, 0.8], [0.4, 0.35, 0.25]),  # unknown
        ]
    )
    labels, unknown = (
        np.array([0, 0, 1, 1, 2, 2]),
        Rejection(("other",)).indices(("a", "b", "other")),
    )
    found = rejection_scores(probabilities, labels, unknown)
    assert found == {
        "accuracy": pytest.approx(75.0),  # the last clip of class 1 is taken for `other`
        "false_rejections": pytest.approx(25.0),
        "rejections": pytest.approx(50.0),
        "false_acceptances": pytest.approx(50.0),
        "known_clips": 4,
        "unknown_clips": 2,
    }
    found = rejection_scores(probabilities, labels, unknown, threshold=0.6)
    assert (found["accuracy"], found["false_rejections"]) == (50.0, 50.0)
    assert (found["rejections"], found["false_acceptances"]) == (100.0, 0.0)


def test_without_unknown_clips_nothing_is_said_of_them():
    found = rejection_scores(np.eye(2), np.array([0, 1]), [], threshold=0.5)
    assert (found["accuracy"], found["rejections"], found["false_acceptances"]) == (100, None, None)
