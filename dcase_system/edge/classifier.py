"""Classifies waveforms with one `.tflite` file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.edge.card import read_card
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models.signature import ModelSignature


class Classifier:
    """A classifier from an exported `.tflite` file, with or without the front end inside.

    A mel front end is computed in NumPy, also for a file that has one: of this file, only the
    network runs. It takes a fraction of the time of TFLite's FFT, and TensorFlow is not imported.

    Args:
        path: The `.tflite` file, with its card inside.
        threads: Number of interpreter threads.

    Attributes:
        signature: Signature of the model.

    Raises:
        InputError: The file is missing, or this package did not write it.
    """

    def __init__(self, path: str | Path, threads: int = 1):
        card = read_card(path)
        self.signature = card.signature
        self._features = self.signature.numpy_features()
        takes_waveform = card.takes == "waveform"
        fast = self._features is not None
        self._model = TFLiteModel(path, threads, without_front_end=takes_waveform and fast)
        if not fast and not takes_waveform:
            self._features = _tensorflow_features(self.signature)
        given, rows = self._model.output["shape"].tolist(), self.signature.segments
        if given != [rows, len(self.signature.labels)]:
            raise InputError(
                "model's output differs from its card",
                where=path,
                expected=f"logits of shape {[rows, len(self.signature.labels)]}",
                received=f"{given}",
            )

    def probabilities(self, waveforms: np.ndarray) -> np.ndarray:
        """Maps waveforms (clips, *waveform_shape) to probabilities (clips, classes)."""
        taken = waveforms.astype(np.float32)
        if self._features is not None:
            taken = self._features(taken)
        return self.signature.probabilities(self._model(taken))


def _tensorflow_features(signature: ModelSignature) -> Callable[[np.ndarray], np.ndarray]:
    import tensorflow as tf  # takes seconds, and only a scalogram or an embedding needs it

    # As one graph: TensorFlow leaks some bytes with every eager operation, 100 MB in an hour of
    # windows.
    features = tf.function(signature.features)
    return lambda waveforms: features(waveforms).numpy()
