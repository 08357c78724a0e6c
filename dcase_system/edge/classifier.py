"""One `.tflite` file as a function of waveforms."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from dcase_system.core.errors import InputError
from dcase_system.edge.card import read_card
from dcase_system.edge.tflite import TFLiteModel


class Classifier:
    """A `.tflite` file of ours, with or without the front end inside.

    Args:
        path: of the file; its card is inside.
        threads: of the interpreter.

    Attributes:
        contract: what it hears and says.

    Raises:
        InputError: the file is missing, or is not one of ours.
    """

    def __init__(self, path: str | Path, threads: int = 1):
        card = read_card(path)
        self.contract, self._takes = card.contract, card.takes
        # As one graph: TensorFlow keeps some bytes of every operation that is called by itself,
        # 100 MB in an hour of windows.
        self._features = tf.function(self.contract.features)
        self._model = TFLiteModel(path, threads)
        given, rows = self._model.output["shape"].tolist(), self.contract.segments
        if given != [rows, len(self.contract.labels)]:
            raise InputError(
                "model does not give what its card says",
                where=path,
                expected=f"logits of shape {[rows, len(self.contract.labels)]}",
                received=f"{given}",
            )

    def probabilities(self, waveforms: np.ndarray) -> np.ndarray:
        """(clips, *waveform_shape) to (clips, classes)."""
        taken = waveforms.astype(np.float32)
        if self._takes == "features":
            taken = np.asarray(self._features(taken))
        return self.contract.probabilities(self._model(taken))
