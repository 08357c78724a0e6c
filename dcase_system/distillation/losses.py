"""Distillation losses of (targets, logits), with the teacher's logits packed into the targets.

Packing lets plain `compile` and `fit` train with and without a teacher.
"""

import keras
import numpy as np
import tensorflow as tf

from dcase_system.training.mixup import mixed


def pack_targets(one_hot: np.ndarray, teacher_logits: np.ndarray) -> np.ndarray:
    """Stacks labels and teacher logits of each clip.

    Args:
        one_hot: (clips, classes) one-hot labels.
        teacher_logits: (clips, classes) logits of the ensemble.

    Returns:
        float32, (clips, 2, classes): labels first.
    """
    return np.stack([one_hot, teacher_logits], axis=1).astype(np.float32)


@keras.saving.register_keras_serializable("dcase_system")
class DistillationLoss(keras.losses.Loss):
    """lambda * CE + (1 - lambda) * T^2 * KL(teacher || student), as CP-JKU train their students.

    CE is the mean over the batch; KL is the mean over the batch AND the classes of
    p_t * (log p_t - log p_s), with p = softmax(logits / T): for ten classes, a tenth of the sum
    over the classes. Source: fschmid56/cpjku_dcase23, run_training.py, which takes the
    mean of an unreduced KLDivLoss.

    Targets: (batch, 2, classes) by `pack_targets`. Predictions: logits (batch, classes).

    Args:
        label_weight: Lambda.
        temperature: T.
        label_smoothing: Share of the labels that is spread evenly over the classes.
    """

    def __init__(
        self,
        label_weight: float = 0.02,
        temperature: float = 2.0,
        label_smoothing: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.label_weight, self.temperature = label_weight, temperature
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        labels, teacher_logits = y_true[:, 0], y_true[:, 1]
        spread = self.label_smoothing / y_pred.shape[-1]
        labels = (1.0 - self.label_smoothing) * labels + spread
        cross_entropy = -tf.reduce_sum(labels * tf.nn.log_softmax(y_pred), axis=-1)  # (batch,)
        teacher = tf.nn.log_softmax(teacher_logits / self.temperature)
        student = tf.nn.log_softmax(y_pred / self.temperature)
        divergence = tf.reduce_mean(tf.exp(teacher) * (teacher - student), axis=-1)  # (batch,)
        softened = self.temperature**2 * divergence
        return self.label_weight * cross_entropy + (1.0 - self.label_weight) * softened

    def mixed(self, targets, weights, partners):
        """Mixes packed targets (batch, 2, classes): labels, and probabilities at temperature T.

        So the loss is, up to a constant, that of both targets with the weights of the mixture.
        """
        log_probabilities = tf.nn.log_softmax(targets[:, 1] / self.temperature)
        logits = self.temperature * _log_mixed(log_probabilities, weights, partners)
        return tf.stack([mixed(targets[:, 0], weights, partners), logits], axis=1)

    def get_config(self):
        own = {"label_weight": self.label_weight, "temperature": self.temperature}
        return {**super().get_config(), **own, "label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable("dcase_system")
class MultiLabelDistillationLoss(keras.losses.Loss):
    """Binary cross-entropy to the teacher's probabilities, mean over batch and classes (OFA-AEC).

    No hard labels. Includes the minus sign missing from equation (2) of Lin et al.

    Targets: (batch, 2, classes) by `pack_targets`, of which only the teacher's logits are used.
    Predictions: logits (batch, classes).
    """

    def call(self, y_true, y_pred):
        teacher = tf.sigmoid(y_true[:, 1])
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=teacher, logits=y_pred)
        return tf.reduce_mean(losses, axis=-1)

    def mixed(self, targets, weights, partners):
        """Mixes packed targets (batch, 2, classes): labels, and the teacher's probabilities."""
        teacher = targets[:, 1]
        present = _log_mixed(tf.math.log_sigmoid(teacher), weights, partners)
        absent = _log_mixed(tf.math.log_sigmoid(-teacher), weights, partners)
        labels = mixed(targets[:, 0], weights, partners)
        return tf.stack([labels, present - absent], axis=1)


@keras.saving.register_keras_serializable("dcase_system")
class PackedAccuracy(keras.metrics.MeanMetricWrapper):
    """Accuracy against the labels of packed targets."""

    def __init__(self, name: str = "accuracy", **kwargs):
        super().__init__(fn=_packed_matches, name=name, **kwargs)

    def get_config(self):
        return {"name": self.name}


def _log_mixed(log_values, weights, partners):
    """Computes log(mixed(exp(log_values))), without underflow."""
    shares = tf.math.log([weights, 1.0 - weights])[..., None]  # (2, batch, 1)
    pairs = tf.stack([log_values, tf.gather(log_values, partners)])  # (2, batch, classes)
    return tf.reduce_logsumexp(pairs + shares, axis=0)


def _packed_matches(y_true, y_pred):
    matches = tf.equal(tf.argmax(y_true[:, 0], axis=-1), tf.argmax(y_pred, axis=-1))
    return tf.cast(matches, y_pred.dtype)
