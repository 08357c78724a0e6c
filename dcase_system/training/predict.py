"""Logits of waveforms, and the scores of a validation set."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from dcase_system.training.batches import Examples, Watched, prediction_batches
from dcase_system.training.metrics import macro_score


@dataclass(frozen=True)
class ValidationSet:
    """Clips held out of the train list: their waveforms and (clips,) class indices."""

    waveforms: Examples
    labels: np.ndarray


class Predictor:
    """Logits of a model with the waveform as input; one trace, however often it is asked.

    Keras's own predict would have the other workers of a training take part.
    """

    def __init__(self, model: keras.Model):
        self._run = tf.function(lambda batch: model(batch, training=False), autograph=False)

    def __call__(self, waveforms: Examples, batch_size: int = 64) -> np.ndarray:
        """(clips, classes)."""
        watched = Watched(waveforms)
        with watched.faults_raised():
            batches = prediction_batches(watched, batch_size)
            run = self._run.get_concrete_function(batches.element_spec)
            return np.concatenate([run(batch).numpy() for batch in batches])


def predict(model: keras.Model, waveforms: Examples, batch_size: int = 64) -> np.ndarray:
    """Logits (clips, classes) of a model with the waveform as input."""
    return Predictor(model)(waveforms, batch_size)


def score_validation(
    predictor: Predictor, validation: ValidationSet, batch_size: int
) -> tuple[float, float]:
    """Macro accuracy in percent and log loss."""
    return score_logits(predictor(validation.waveforms, batch_size), validation.labels)


def score_logits(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Macro accuracy in percent and log loss of (clips, classes) logits."""
    scored = macro_score(softmax(logits.astype(np.float64), axis=-1), labels)
    return scored.accuracy, scored.logloss
