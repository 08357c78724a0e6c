"""Alpha-divergence between a teacher's and a student's classes, adaptive and clipped.

Source: Wang et al., "AlphaNet: Improved Training of Supernets with Alpha-Divergence", ICML 2021,
sections 3 and 4; constants and the exception for alpha 1 as in the authors' code. The
Kullback-Leibler divergence (alpha 1) punishes a student that finds a class less likely than the
teacher does, more than the opposite; a negative alpha does the reverse. The adaptive divergence is
the larger of the two for each clip.
"""

from dataclasses import dataclass

import tensorflow as tf

from dcase_system.core.errors import InputError


@dataclass(frozen=True)
class AlphaDivergence:
    """max over both alphas of (sum of q * (p / q)^alpha, minus 1) / (alpha * (alpha - 1)).

    p are the teacher's probabilities, q the student's; alpha = 1 is the limit, the Kullback-Leibler
    divergence of q from p. Defaults are the paper's.

    Attributes:
        alpha_min: Negative alpha.
        alpha_max: Positive alpha.
        clip: Beta: largest weight (p / q)^alpha of a class, in value and gradient, because the
            weight of a class that the teacher thinks impossible has no limit. Not for alpha 1: its
            gradient, q - p in the logits, has one, and clipped it would no longer pull on a class
            that the student wrongly thinks impossible.
    """

    alpha_min: float = -1.0
    alpha_max: float = 1.0
    clip: float = 5.0

    def __post_init__(self):
        if not self.alpha_min < 0 < self.alpha_max or self.clip <= 0:
            raise InputError(
                "alpha-divergence does not fit",
                where="distillation",
                expected="alpha_min below 0, alpha_max above 0, and clip above 0",
                received=f"{self.alpha_min:g}, {self.alpha_max:g}, {self.clip:g}",
            )

    def __call__(self, teacher_logits, logits):
        """Returns the divergence of the last axis, (...); it has a gradient for `logits` alone."""
        teacher = tf.stop_gradient(tf.nn.log_softmax(teacher_logits))
        student = tf.nn.log_softmax(logits)
        (value, slope), (other, its_slope) = (
            self._of(alpha, teacher, student) for alpha in (self.alpha_min, self.alpha_max)
        )
        larger = value > other
        value, slope = tf.where(larger, value, other), tf.where(larger, slope, its_slope)
        return slope + tf.stop_gradient(value - slope)

    def _of(self, alpha: float, teacher, student):
        """Returns the divergence for one alpha, and a function of the student with its gradient.

        The gradient is -1 / alpha * sum of q * (p / q)^alpha * gradient of log q, with clipped
        weights.
        """
        log_ratio = teacher - tf.stop_gradient(student)
        if alpha == 1.0:
            weights = tf.exp(teacher)
            value = tf.reduce_sum(weights * log_ratio, axis=-1)
        else:
            q = tf.exp(tf.stop_gradient(student))
            weights = q * tf.minimum(tf.exp(alpha * log_ratio), self.clip)
            value = (tf.reduce_sum(weights, axis=-1) - 1.0) / (alpha * (alpha - 1.0))
        return value, -tf.reduce_sum(weights * student, axis=-1) / alpha
