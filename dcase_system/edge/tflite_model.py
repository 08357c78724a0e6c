"""Runs `.tflite` files; importing it does not load TensorFlow."""

from pathlib import Path

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.core.interpreter import loaded
from dcase_system.edge import flatbuffer
from dcase_system.edge.quantisation import dequantise, quantise


class TFLiteModel:
    """Runs a `.tflite` file on clips; quantizes its input and dequantizes its output.

    Args:
        path: The `.tflite` file.
        threads: Number of interpreter threads.
        without_front_end: Whether only the network of a waveform file is run, on features.

    Raises:
        InputError: The file is missing or not a TFLite model with one input and one output.
    """

    def __init__(self, path: str | Path, threads: int = 1, *, without_front_end: bool = False):
        self._path = path
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise InputError(
                f"model file is missing ({error.strerror})", where=path, expected="a .tflite file"
            ) from error
        try:
            model = flatbuffer.parse(content)  # a broken file could crash the interpreter
            if without_front_end:
                content = flatbuffer.second_of(model)
            self._interpreter = loaded(content, threads)
            inputs = self._interpreter.get_input_details()
            outputs = self._interpreter.get_output_details()
        except (ValueError, RuntimeError) as error:  # also for names that are not UTF-8
            raise InputError(
                f"model cannot be loaded ({error})", where=path, expected="a .tflite file"
            ) from error
        if len(inputs) != 1 or len(outputs) != 1:
            raise InputError(
                "model has the wrong number of inputs or outputs",
                where=path,
                expected="one each",
                received=f"{len(inputs)} and {len(outputs)}",
            )
        self.input, self.output = inputs[0], outputs[0]

    def __call__(self, clips: np.ndarray) -> np.ndarray:
        """Computes logits clip by clip: (clips, *input shape) to (clips * rows per clip, classes).

        Raises:
            InputError: The interpreter rejects the input or an operator.
        """
        return np.concatenate([self._one(clip[None]) for clip in clips])

    def _one(self, clip: np.ndarray) -> np.ndarray:
        try:
            self._interpreter.set_tensor(self.input["index"], quantise(clip, self.input))
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise InputError(
                f"model cannot be run ({error})",
                where=self._path,
                expected=f"an input of shape {self.input['shape'].tolist()}",
                received=clip.shape,
            ) from error
        return dequantise(self._interpreter.get_tensor(self.output["index"]), self.output)
