"""Export to TFLite and running the file through the interpreter."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from dcase_system.errors import InputError
from dcase_system.files import replacing

FORMATS = ("float32", "float16", "int8")


def file_name(format_name: str) -> str:
    """Name of the exported file of a format."""
    return f"student_{format_name}.tflite"


def export(
    network: keras.Model,
    folder: Path,
    calibration: np.ndarray,
    formats: Sequence[str] = FORMATS,
) -> None:
    """Converts a network to `.tflite` files with batch 1 and built-in operations only.

    `float32`; `float16` (weights stored in half precision); `int8` (weights, activations, input and
    output; per-channel weights).

    Args:
        network: features (batch, mels, frames, 1) to logits (batch, classes).
        folder: where the files go.
        calibration: (clips, mels, frames, 1) features that set the ranges of int8 activations.
        formats: which of them.
    """
    with tempfile.TemporaryDirectory() as saved_model:
        # On this TensorFlow, converting a Keras 3 model directly aborts the process; through a
        # SavedModel it works.
        signature = [tf.TensorSpec((1, *network.input_shape[1:]), tf.float32, name="log_mel")]
        network.export(saved_model, input_signature=signature, verbose=False)
        for name in formats:
            content = _convert(saved_model, name, calibration)
            with replacing(folder / file_name(name)) as temporary:
                temporary.write_bytes(content)


def _convert(saved_model: str, format_name: str, calibration: np.ndarray) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
    if format_name == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    elif format_name == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: _one_by_one(calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


class TFLiteModel:
    """A `.tflite` file as a function of features; quantises its input and output by itself.

    Args:
        path: of the file.
        threads: of the interpreter.

    Raises:
        InputError: the file is missing or is no TFLite model.
    """

    def __init__(self, path: str | Path, threads: int = 1):
        if not Path(path).is_file():
            raise InputError("model file is missing", where=path, expected="a .tflite file")
        try:
            self._interpreter = tf.lite.Interpreter(str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InputError(
                f"model cannot be loaded ({error})", where=path, expected="a .tflite file"
            ) from error
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Logits (clips, classes) of features (clips, mels, frames, 1), clip by clip."""
        return np.stack([self._one(clip[None]) for clip in features])

    def _one(self, clip: np.ndarray) -> np.ndarray:
        self._interpreter.set_tensor(self._input["index"], _quantise(clip, self._input))
        self._interpreter.invoke()
        output = self._interpreter.get_tensor(self._output["index"])[0]
        scale, zero_point = self._output["quantization"]
        return (
            output if scale == 0 else (output.astype(np.float32) - zero_point) * np.float32(scale)
        )


def _quantise(values: np.ndarray, details: dict) -> np.ndarray:
    scale, zero_point = details["quantization"]
    if scale == 0:
        return values.astype(details["dtype"])
    limits = np.iinfo(details["dtype"])
    # Rounding and clipping matter: a bare cast wraps 130 to -126.
    return np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max).astype(
        details["dtype"]
    )


def _one_by_one(features: np.ndarray) -> Iterator[list[np.ndarray]]:
    for clip in features:
        yield [clip[None].astype(np.float32)]
