"""Mean average precision against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from dcase_system.errors import InputError
from dcase_system.training.multilabel import multilabel_score


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    clips=st.integers(1, 60),
    classes=st.integers(1, 6),
    levels=st.sampled_from([1, 2, 5, 10**6]),
)
def test_mean_average_precision_is_scikit_learns_macro_average(seed, clips, classes, levels):
    """Also where scores are equal."""
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, levels, (clips, classes)) / levels
    labels = (generator.random((clips, classes)) < 0.3).astype(np.float32)
    labels[generator.integers(0, clips, classes), np.arange(classes)] = 1
    expected = average_precision_score(labels, scores, average="macro")
    scored = multilabel_score(scores, labels)
    assert scored.mean_average_precision == pytest.approx(expected, abs=1e-12)
    assert scored.average_precisions == pytest.approx(
        average_precision_score(labels, scores, average=None) if classes > 1 else [expected]
    )
    assert (scored.classes_without_positive, scored.clips) == (0, clips)


def test_classes_without_a_positive_are_left_out_and_counted():
    generator = np.random.default_rng(0)
    scores, labels = generator.normal(size=(20, 5)), (generator.random((20, 5)) < 0.5) * 1.0
    labels[:, [1, 3]] = 0
    scored = multilabel_score(scores, labels)
    occurring = [0, 2, 4]
    expected = average_precision_score(labels[:, occurring], scores[:, occurring])
    assert scored.mean_average_precision == pytest.approx(expected)
    assert scored.classes_without_positive == 2
    assert [value is None for value in scored.average_precisions] == [0, 1, 0, 1, 0]


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_only_the_order_counts(seed):
    generator = np.random.default_rng(seed)
    logits, labels = generator.normal(size=(30, 3)), generator.random((30, 3)) < 0.5
    labels[0] = True
    probabilities = 1 / (1 + np.exp(-logits))
    assert multilabel_score(logits, labels) == multilabel_score(probabilities, labels)


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
        multilabel_score(scores, labels)
