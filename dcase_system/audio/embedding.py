"""A network from a file as front end: waveforms to the values from which a classifier is trained.

The network keeps its weights. It is a `.tflite` file or a SavedModel, as published for YAMNet,
VGGish, Perch or BirdNET, and takes one waveform or a batch of them.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from dcase_system.audio.decimation import decimate
from dcase_system.audio.specs import EmbeddingSpec
from dcase_system.core.errors import InputError
from dcase_system.core.files import file_digest
from dcase_system.core.interpreter import loaded

_EXPECTED = "a .tflite file or a SavedModel with one float input, a waveform or a batch of them"
_TRIED_SECONDS = 1  # of silence, to learn the size of the output


def embedding_spec(
    file: str | Path, *, output: str | None = None, network_rate: int = 16_000
) -> EmbeddingSpec:
    """Reads what a network takes and returns.

    Args:
        file: `.tflite` file, or folder of a SavedModel.
        output: Name of the output to use; may be None if there is one output.
        network_rate: Sample rate of the network's input in Hz, which its file does not say.

    Raises:
        InputError: The file cannot be read, takes no waveforms, or has no such output; or its rate
            does not divide 32,000 Hz.
    """
    rate = EmbeddingSpec.sample_rate
    if rate % network_rate:
        raise InputError(
            "sample rate does not fit",
            where=file,
            expected=f"{rate} Hz divided by a whole number",
            received=f"{network_rate} Hz",
        )
    path = Path(file)
    network = _load(str(path))
    if output is None and len(network.outputs) == 1:
        (output,) = network.outputs
    if output not in network.outputs:
        raise InputError(
            "network has no such output",
            where=file,
            expected=" | ".join(network.outputs),
            received=output or "none chosen",
        )
    tried = np.zeros((1, network.window or _TRIED_SECONDS * network_rate), np.float32)
    values = network.run(output)(tf.constant(tried))
    return EmbeddingSpec(
        str(path.resolve()),
        _digest(path),
        output,
        int(values.shape[-1]),
        network.window,
        rate // network_rate,
    )


@keras.saving.register_keras_serializable("dcase_system")
class Embedding(keras.layers.Layer):
    """Waveform to the embedding of a network in a file.

    Input: float waveforms (batch, samples), full scale = 1, padded with silence to a window.
    Output: (batch, n_mels, 1, 1): the mean over windows, which are spread evenly over the clip.

    The layer has no weights of its own: nothing trains or saves those of the file.
    """

    def __init__(self, spec: EmbeddingSpec | dict, **kwargs):
        super().__init__(**kwargs)
        self.spec = EmbeddingSpec(**spec) if isinstance(spec, dict) else spec
        if _digest(Path(self.spec.file)) != self.spec.digest:
            raise InputError(
                "network is missing, or has changed since this front end was made",
                where=self.spec.file,
                expected=f"SHA-256 {self.spec.digest}",
            )

    def call(self, waveforms):
        spec = self.spec
        own = decimate(waveforms, spec.decimation)  # (batch, samples at the network's rate)
        samples, run = own.shape[1], _load(spec.file).run(spec.output)
        window = spec.window or samples
        own = tf.pad(own, [[0, 0], [0, max(0, window - samples)]])
        count = max(1, samples // window)
        starts = np.linspace(0, max(0, samples - window), count).astype(int)
        values = [run(own[:, start : start + window]) for start in starts]  # (batch, size) each
        return tf.reduce_mean(tf.stack(values), axis=0)[:, :, None, None]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.spec.n_mels, 1, 1)

    def get_config(self):
        return {**super().get_config(), "spec": dict(vars(self.spec))}


@dataclass(frozen=True)
class _Network:
    """A loaded network: its outputs, its fixed input length or 0, and what computes an output.

    `run(output)` returns a function from waveforms (batch, samples) to (batch, size).
    """

    outputs: list[str]
    window: int
    run: Callable[[str], Callable]


@lru_cache
def _load(file: str) -> _Network:
    path = Path(file)
    if path.suffix == ".tflite":
        return _tflite(path)
    if (path / "saved_model.pb").is_file():
        return _saved_model(path)
    raise InputError("not a network", where=file, expected=_EXPECTED)


def _tflite(path: Path) -> _Network:
    try:
        interpreter = loaded(path.read_bytes())
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError("network cannot be read", where=path, expected=_EXPECTED) from error
    inputs = interpreter.get_input_details()
    shape = inputs[0]["shape_signature"] if len(inputs) == 1 else np.array([])
    if len(shape) not in (1, 2) or inputs[0]["dtype"] != np.float32 or (shape[:-1] > 1).any():
        raise InputError("network takes no waveforms", where=path, expected=_EXPECTED)
    if shape[-1] < 0:
        raise InputError(
            "network takes waveforms of any length",
            where=path,
            expected="a fixed number of samples in a .tflite file; a SavedModel may take any",
        )
    place = inputs[0]["index"]
    outputs = {detail["name"]: detail["index"] for detail in interpreter.get_output_details()}

    def run(output: str) -> Callable:
        size = interpreter.get_tensor(outputs[output]).shape[-1]

        def embed(batch: np.ndarray) -> np.ndarray:
            values = np.empty((len(batch), size), np.float32)
            for row, waveform in zip(values, batch, strict=True):
                interpreter.set_tensor(place, waveform if len(shape) == 1 else waveform[None])
                interpreter.invoke()
                row[:] = interpreter.get_tensor(outputs[output]).reshape(-1, size).mean(axis=0)
            return values

        def in_graph(batch):
            return tf.ensure_shape(tf.numpy_function(embed, [batch], tf.float32), (None, size))

        return in_graph

    return _Network(list(outputs), int(shape[-1]), run)


def _saved_model(path: Path) -> _Network:
    try:
        model = tf.saved_model.load(str(path))
        signature = model.signatures["serving_default"]
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        raise InputError("network cannot be read", where=path, expected=_EXPECTED) from error
    inputs = signature.structured_input_signature[1]
    name, taken = next(iter(inputs.items())) if len(inputs) == 1 else ("", None)
    if taken is None or taken.shape.rank not in (1, 2) or taken.dtype != tf.float32:
        raise InputError("network takes no waveforms", where=path, expected=_EXPECTED)

    def run(output: str) -> Callable:
        def of_one(waveform):
            given = waveform if taken.shape.rank == 1 else waveform[None]
            values = signature(**{name: given})[output]
            return tf.reduce_mean(tf.reshape(values, (-1, values.shape[-1])), axis=0)

        def in_graph(batch):
            size = signature.structured_outputs[output].shape[-1]
            return tf.map_fn(of_one, batch, fn_output_signature=tf.TensorSpec((size,), tf.float32))

        return in_graph

    # The module must stay alive as long as its signature.
    run.module = model  # type: ignore[attr-defined]
    return _Network(sorted(signature.structured_outputs), taken.shape[-1] or 0, run)


def _digest(path: Path) -> str:
    if path.is_file():
        return file_digest(path)
    files = sorted(one for one in path.rglob("*") if one.is_file())
    content = "".join(f"{one.relative_to(path)}\0{file_digest(one)}\n" for one in files)
    return hashlib.sha256(content.encode()).hexdigest()
