"""Classifies waveforms with one `.tflite` file."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from dcase_system.core.errors import InputError
from dcase_system.edge.card import read_card
from dcase_system.edge.tflite import TFLiteModel


class Classifier:
    """A classifier from an exported `.tflite` file, with or without the front end inside.

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
        self.signature, self._takes = card.signature, card.takes
        # As one graph: TensorFlow leaks some bytes with every eager operation, 100 MB in an hour of
        # windows.
        self._features = tf.function(self.signature.features)
        self._model = TFLiteModel(path, threads)
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
        if self._takes == "features":
            taken = np.asarray(self._features(taken))
        return self.signature.probabilities(self._model(taken))
