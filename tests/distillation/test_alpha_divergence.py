"""The adaptive alpha-divergence: its definition, its gradient, and what clipping changes."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from dcase_system.core.errors import InputError
from dcase_system.distillation.alpha_divergence import AlphaDivergence

GENERATOR = np.random.default_rng(0)
TEACHER, STUDENT = GENERATOR.normal(0, 1, (2, 6, 4)).astype(np.float32)
P, Q = softmax(TEACHER.astype(float), axis=-1), softmax(STUDENT.astype(float), axis=-1)
UNCLIPPED = AlphaDivergence(clip=1e6)


def defined(alpha, q=Q):
    if alpha == 1:
        return (P * np.log(P / q)).sum(axis=-1)
    return ((q * (P / q) ** alpha).sum(axis=-1) - 1) / (alpha * (alpha - 1))


def gradient_of(divergence, teacher=TEACHER, student=STUDENT):
    logits = tf.Variable(student)
    with tf.GradientTape() as tape:
        value = divergence(teacher, logits)
    return value.numpy(), tape.gradient(value, logits).numpy()


@pytest.mark.parametrize("alphas", [(-1.0, 1.0), (-0.5, 2.0)])
def test_value_and_gradient_are_those_of_the_larger_divergence(alphas):
    value, gradient = gradient_of(AlphaDivergence(*alphas, clip=1e6))
    both = np.stack([defined(alpha) for alpha in alphas])
    assert len(set(both.argmax(axis=0))) == 2  # some clips take one, some the other
    np.testing.assert_allclose(value, both.max(axis=0), rtol=1e-4)
    numeric = np.empty_like(Q)
    for one in range(4):
        step = 1e-5 * np.eye(4)[one]
        ends = [softmax(STUDENT + sign * step, axis=-1) for sign in (1.0, -1.0)]
        high, low = (np.stack([defined(alpha, q) for alpha in alphas]) for q in ends)
        chosen = both.argmax(axis=0), np.arange(len(Q))
        numeric[:, one] = (high[chosen] - low[chosen]) / 2e-5
    np.testing.assert_allclose(gradient, numeric, atol=2e-4)


def test_a_weight_is_clipped():
    """Of a class that the teacher thinks impossible, at a negative alpha."""
    teacher, student = np.float32([[0, -9]]), np.float32([[0, 0]])
    p, q = softmax(teacher[0].astype(float)), np.array([0.5, 0.5])
    weights = q * np.minimum(q / p, 5.0)
    value, gradient = gradient_of(AlphaDivergence(), teacher, student)
    assert value[0] == pytest.approx((weights.sum() - 1) / 2, rel=1e-5)
    np.testing.assert_allclose(gradient[0], weights - q * weights.sum(), atol=1e-5)


def test_a_student_that_thinks_a_class_impossible_is_pulled_by_the_whole_divergence():
    """Kullback-Leibler is not clipped: its gradient is limited by itself."""
    teacher, student = np.float32([[0, 0]]), np.float32([[0, -9]])
    q = softmax(student[0].astype(float))
    value, gradient = gradient_of(AlphaDivergence(), teacher, student)
    assert value[0] == pytest.approx((0.5 * np.log(0.5 / q)).sum(), rel=1e-5)
    np.testing.assert_allclose(gradient[0], q - 0.5, atol=1e-5)


def test_what_is_no_divergence_is_refused():
    for wrong in ({"alpha_min": 0.5}, {"alpha_max": -1.0}, {"clip": 0.0}):
        with pytest.raises(InputError, match="alpha-divergence does not fit"):
            AlphaDivergence(**wrong)
