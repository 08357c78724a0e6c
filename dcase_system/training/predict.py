"""Predicts logits from waveforms, and scores a validation set."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from dcase_system.training.batches import ErrorForwarding, Examples, prediction_batches
from dcase_system.training.metrics import macro_score
from dcase_system.training.multilabel import mean_average_precision

# Scores clips during training; the values go to the log.
Validate = Callable[[], dict[str, float]]


@dataclass(frozen=True)
class ValidationSet:
    """Clips held out of the training list: their waveforms, and labels as in `Clips`."""

    waveforms: Examples
    labels: np.ndarray


class Predictor:
    """Computes a waveform model's logits; traced once, however often it is called.

    Keras's own predict would involve the other workers of a training.
    """

    def __init__(self, model: keras.Model):
        self._run = tf.function(lambda batch: model(batch, training=False), autograph=False)

    def __call__(self, waveforms: Examples, batch_size: int = 64) -> np.ndarray:
        """Returns logits (clips, classes)."""
        forwarding = ErrorForwarding(waveforms)
        with forwarding.faults_raised():
            batches = prediction_batches(forwarding, batch_size)
            run = self._run.get_concrete_function(batches.element_spec)
            return np.concatenate([run(batch).numpy() for batch in batches])


def predict(model: keras.Model, waveforms: Examples, batch_size: int = 64) -> np.ndarray:
    """Computes logits (clips, classes) of a model that takes waveforms."""
    return Predictor(model)(waveforms, batch_size)


def score_validation(
    predictor: Predictor, validation: ValidationSet, batch_size: int
) -> dict[str, float]:
    """Scores the held-out clips; see `score_logits`."""
    return score_logits(predictor(validation.waveforms, batch_size), validation.labels)


def score_logits(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Scores logits (clips, classes) of held-out clips, by the names in a training's log.

    Args:
        logits: Logits of the clips.
        labels: Class indices (clips,), or labels (clips, classes).

    Returns:
        `val_accuracy`, macro, in percent, and `val_logloss`; for several labels a clip `val_map`.
    """
    if labels.ndim == 2:
        return {"val_map": mean_average_precision(logits, labels)}
    scored = macro_score(softmax(logits.astype(np.float64), axis=-1), labels)
    return {"val_accuracy": scored.accuracy, "val_logloss": scored.logloss}
