"""The variants of a network (Keras, SavedModel, each `.tflite`): writes and runs them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from dcase_system.audio.store import Waveforms
from dcase_system.core.files import write_text
from dcase_system.core.tensorflow_files import plain_path
from dcase_system.edge import card, flatbuffer, tflite
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models.precision import cast_weights
from dcase_system.models.signature import ModelSignature

REFERENCE = "keras_float32"
_SAVED_MODEL = "saved_model"
_QUANTISED = ("dynamic", "int8")


@dataclass(frozen=True)
class ModelVariant:
    """A variant of a network.

    Attributes:
        logits: Function from features or waveforms of clips to logits.
        takes: Input, `features` or `waveform`.
        format: Format of `tflite.FORMATS` with the same precision.
    """

    logits: Callable[[np.ndarray], np.ndarray]
    takes: str = "features"
    format: str = "float32"


def export_all(
    network: keras.Model,
    signature: ModelSignature,
    calibration: np.ndarray,
    folder: Path,
    formats: Sequence[str] = tflite.FORMATS,
    int8_by_qat: bytes | None = None,
    name: str = "student",
) -> None:
    """Writes a network's SavedModel and its `.tflite` files, with cards and `labels.txt`.

    A `<name>_<format>.tflite` takes features, a `<name>_<format>_waveform.tflite` the samples of a
    clip. Both run the same network, bit for bit: the second is the front end in float32 followed
    by the first. (For clips of several segments, which run together, int8 is quantized again,
    after training and with its own ranges.)

    Args:
        network: Network from features to logits.
        signature: Signature of the network.
        calibration: Features (n, bands, frames, channels) of training clips, which set the ranges
            of int8 activations.
        folder: Output folder.
        formats: Formats to write.
        int8_by_qat: int8 file from quantization-aware training with batch 1, which replaces the one
            converted from the network.
        name: Prefix of the file names.
    """
    saved_model, batches = folder / _SAVED_MODEL, {1, signature.segments}
    tflite.save_model(network, saved_model, calibration.shape[1:], sorted(batches))
    shape = (1, *signature.waveform_shape)
    front = tflite.converted_function(signature.features, shape, "waveform")
    networks: dict[int, dict[str, bytes]] = {}
    for batch in batches:
        trained = {"int8": int8_by_qat} if int8_by_qat and batch == 1 else {}
        others = [one for one in formats if one not in trained]
        networks[batch] = tflite.converted(saved_model, calibration, others, batch) | trained
    for format_name in formats:
        for takes, batch in (("features", 1), ("waveform", signature.segments)):
            content, quantised = networks[batch][format_name], None
            if format_name in _QUANTISED:
                quantised = "aware" if content is int8_by_qat else "after training"
            if takes == "waveform":
                content = flatbuffer.joined(front, content)
            path = folder / tflite.file_name(format_name, takes, name)
            clips = len(calibration) // signature.segments if format_name == "int8" else None
            described = card.Card(format_name, takes, signature, quantised, clips)
            card.write_model(path, content, described)
    write_text(folder / "labels.txt", "".join(f"{label}\n" for label in signature.labels))


def keras_variant(network: keras.Model, format_name: str = "float32") -> ModelVariant:
    """Returns a Keras network as a variant; traced once, whatever the sizes of its batches."""
    run = tf.function(
        lambda features: network(features, training=False),
        input_signature=[tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)],
        autograph=False,
    )
    return ModelVariant(lambda features: run(features).numpy(), format=format_name)


def load_variants(
    network: keras.Model, folder: Path, name: str = "student"
) -> dict[str, ModelVariant]:
    """Returns every variant of a network that `export_all` wrote to a folder, by name.

    Args:
        network: Network from features to logits.
        folder: Folder of the files.
        name: Prefix of the file names.
    """
    with plain_path(folder / _SAVED_MODEL) as saved_model:
        saved = tf.saved_model.load(str(saved_model))
    variants = {
        REFERENCE: keras_variant(network),
        "keras_float16": keras_variant(cast_weights(network, "float16"), "float16"),
        "saved_model": ModelVariant(lambda features: saved.serve(features).numpy()),
    }
    for format_name in tflite.FORMATS:
        for takes, suffix in (("features", ""), ("waveform", "_waveform")):
            path = folder / tflite.file_name(format_name, takes, name)
            if path.is_file():
                variant = ModelVariant(TFLiteModel(path), takes, format_name)
                variants[f"tflite_{format_name}{suffix}"] = variant
    return variants


def logits_of(
    variants: Mapping[str, ModelVariant],
    signature: ModelSignature,
    waveforms: Waveforms,
    batch_size: int = 64,
) -> dict[str, np.ndarray]:
    """Computes each variant's logits (clips * segments, classes); features once per batch."""
    batches: dict[str, list[np.ndarray]] = {name: [] for name in variants}
    for start in range(0, len(waveforms), batch_size):
        clips = waveforms.gather(np.arange(start, min(start + batch_size, len(waveforms))))
        taken = {"waveform": clips, "features": np.asarray(signature.features(clips))}
        for name, variant in variants.items():
            batches[name].append(variant.logits(taken[variant.takes]))
    return {name: np.concatenate(parts) for name, parts in batches.items()}
