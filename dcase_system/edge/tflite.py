"""Converts networks to TFLite."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from dcase_system.core import native_messages
from dcase_system.core.files import replacing
from dcase_system.core.tensorflow_files import as_os_error, plain_path
from dcase_system.edge import post_training
from dcase_system.edge.names import FORMATS
from dcase_system.edge.pooling import with_convolved_pooling
from dcase_system.models.depthwise import single_op_depthwise


def file_name(format_name: str, takes: str = "features", network: str = "student") -> str:
    """Returns the name of a network's exported file."""
    return f"{network}_{format_name}{'' if takes == 'features' else f'_{takes}'}.tflite"


def export(
    network: keras.Model,
    folder: Path,
    calibration: np.ndarray,
    formats: Sequence[str] = FORMATS,
) -> None:
    """Writes the files that take features, with batch 1; see `converted`."""
    with tempfile.TemporaryDirectory() as saved_model:
        save_model(network, saved_model, calibration.shape[1:], (1,))
        files = converted(saved_model, calibration, formats)
    for name, content in files.items():
        with replacing(folder / file_name(name)) as temporary:
            temporary.write_bytes(content)


def save_model(
    network: keras.Model,
    folder: str | Path,
    feature_shape: tuple[int, ...],
    batches: Sequence[int] = (),
) -> None:
    """Writes a SavedModel from features of a shape to logits.

    Its endpoint `serve` takes any batch size and runs on every device; each of `batches` has its
    own endpoint for the converter, which needs a fixed size.
    """
    module = tf.Module()
    module.read = [variable.value for variable in network.variables]
    signatures = {}
    for name, batch in {"serve": None, **{_endpoint(batch): batch for batch in batches}}.items():
        signatures[name] = tf.function(
            _inference(network, plain=batch is not None),
            input_signature=[tf.TensorSpec((batch, *feature_shape), tf.float32, name="features")],
            autograph=False,
        )
        setattr(module, name, signatures[name])
    signatures["serving_default"] = signatures["serve"]
    Path(folder).mkdir(parents=True, exist_ok=True)
    with as_os_error(folder), plain_path(folder) as plain:
        # Keras's ExportArchive writes the same, and traces each endpoint three times.
        tf.saved_model.save(module, str(plain), signatures=signatures)


def converted(
    saved_model: str | Path,
    calibration: np.ndarray,
    formats: Sequence[str] = FORMATS,
    batch: int = 1,
) -> dict[str, bytes]:
    """Converts a network to `.tflite` files with a fixed batch and built-in operations only.

    `float32`; `float16` (weights stored in half precision); `dynamic` (large weights int8; input,
    output and activations float32); `int8` (weights, activations, input and output; weights per
    channel).

    Args:
        saved_model: SavedModel from `save_model`, with an endpoint of this batch. (On this
            TensorFlow, converting a Keras 3 model directly aborts the process.)
        calibration: Features (clips, mels, frames, 1) that set the ranges of int8 activations.
        formats: Formats to convert to.
        batch: Batch size of the input.
    """
    with plain_path(saved_model) as plain:
        contents = {name: _convert(plain, name, batch) for name in formats if name != "int8"}
        if "int8" in formats:
            float32 = contents.get("float32") or _convert(plain, "float32", batch)
            int8 = post_training.quantised(float32, _batches(calibration, batch))
            contents["int8"] = with_convolved_pooling(int8)
    return {name: contents[name] for name in formats}


def converted_function(
    function: Callable,
    shape: tuple[int, ...],
    name: str,
    *,
    variables: Sequence[tf.Variable] = (),
    int8: bool = False,
) -> bytes:
    """Converts a function of one float32 tensor of a fixed shape to a `.tflite` file.

    Args:
        function: Function to convert.
        shape: Shape of its input.
        name: Name of its input.
        variables: Variables that it reads.
        int8: Whether the function's graph has the ranges and steps of an int8 file, and is
            converted to one; otherwise the file is float32.
    """
    module = tf.Module()
    # Without Autograph, which would parse all called code and take half of the time.
    module.call = tf.function(
        function, input_signature=[tf.TensorSpec(shape, tf.float32, name)], autograph=False
    )
    module.read = list(variables)  # a SavedModel only stores variables it can find
    with (
        tempfile.TemporaryDirectory() as temporary,
        plain_path(temporary) as saved_model,
        single_op_depthwise(True),
    ):
        tf.saved_model.save(module, str(saved_model), signatures=module.call)
        with native_messages.hidden():
            converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
            if int8:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.inference_input_type = converter.inference_output_type = tf.int8
            return converter.convert()


def _inference(network: keras.Model, plain: bool) -> Callable:
    def call(features):  # traced when the archive is written out
        with single_op_depthwise(plain):
            return network(features, training=False)

    return call


def _endpoint(batch: int) -> str:
    return f"batch_{batch}"


def _convert(saved_model: Path, format_name: str, batch: int) -> bytes:
    with native_messages.hidden():
        converter = tf.lite.TFLiteConverter.from_saved_model(
            str(saved_model), signature_keys=[_endpoint(batch)]
        )
        if format_name != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if format_name == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()


def _batches(features: np.ndarray, batch: int) -> list[np.ndarray]:
    starts = range(0, len(features) - batch + 1, batch)
    return [features[start : start + batch].astype(np.float32) for start in starts]
