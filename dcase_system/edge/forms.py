"""One scorer for every form of a student: Keras, Keras at float16, each `.tflite`."""

from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np

from dcase_system.audio.store import Waveforms
from dcase_system.edge import tflite
from dcase_system.edge.precision import cast_weights
from dcase_system.files import write_json, write_text

Form = Callable[[np.ndarray], np.ndarray]


def export_all(
    network: keras.Model,
    features: np.ndarray,
    scenes: tuple[str, ...],
    folder: Path,
    taken: str = "log-mel (1, mels, frames, 1)",
) -> None:
    """Writes `student_<format>.tflite` in every format, `labels.txt` and `files.json` (bytes).

    Args:
        network: features to logits.
        features: of training clips, which set the ranges of int8 activations.
        scenes: class names in the order of the logits.
        folder: where the files go.
        taken: what the files take, in words.
    """
    tflite.export(network, folder, features)
    write_text(folder / "labels.txt", "".join(f"{scene}\n" for scene in scenes))
    sizes = {path.name: path.stat().st_size for path in sorted(folder.glob("*.tflite"))}
    write_json(folder / "files.json", {"file_bytes": sizes, "input": taken})


def keras_form(network: keras.Model) -> Form:
    """A Keras model as a function of features."""
    return lambda features: np.asarray(network.predict_on_batch(features))


def forms_of(network: keras.Model, folder: Path) -> dict[str, Form]:
    """Every form of a student as a function of features, by name."""
    forms: dict[str, Form] = {
        "keras_float32": keras_form(network),
        "keras_float16": keras_form(cast_weights(network, "float16")),
    }
    return forms | {
        f"tflite_{name}": tflite.TFLiteModel(folder / tflite.file_name(name))
        for name in tflite.FORMATS
    }


def logits_of(
    forms: Mapping[str, Form],
    front_end: keras.layers.Layer,
    waveforms: Waveforms,
    batch_size: int = 64,
) -> dict[str, np.ndarray]:
    """Logits (clips, classes) of each form for the same features, computed once a batch."""
    batches: dict[str, list[np.ndarray]] = {name: [] for name in forms}
    for start in range(0, len(waveforms), batch_size):
        rows = np.arange(start, min(start + batch_size, len(waveforms)))
        features = np.asarray(front_end(waveforms.gather(rows)))
        for name, form in forms.items():
            batches[name].append(form(features))
    return {name: np.concatenate(parts) for name, parts in batches.items()}
