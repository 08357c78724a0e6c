"""Compares the front end in C with the Keras layer on real clips.

    python -m tests.edge.device.parity RUN/edge/student_int8.tflite CLIPS_FOLDER 10

takes every tenth file of the folder, 16 bits at the model's rate, and its first window.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from dcase_system.edge.card import read_card
from dcase_system.edge.quantisation import dequantise, quantise
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models.signature import ModelSignature
from tests.edge.device.compiled import Compiled

BATCH = 50  # clips; the layer's spectra of 50 clips take 60 MB


@dataclass
class Parity:
    """Figures over all bins of all clips.

    Attributes:
        clips: Number of clips.
        real_within: Share of float32 bins within 1e-4 of the layer.
        real_largest: Largest deviation of a float32 bin.
        equal: Share of int8 bins that are the quantized layer's.
        within_step: Share of int8 bins at most one step away.
        classes: Share of clips with the same class, features of the layer or of the C front end.
    """

    clips: int
    real_within: float
    real_largest: float
    equal: float
    within_step: float
    classes: float


def windows(files: list[Path], signature: ModelSignature) -> np.ndarray:
    """First windows of mono files at the model's rate: int16 (clips, samples)."""
    read = (soundfile.read(file, signature.samples, dtype="int16") for file in files)
    return np.stack([samples for samples, rate in read if rate == signature.sample_rate])


def compare(path: Path, clips: np.ndarray, folder: Path) -> Parity:
    """Compares features and classes of int16 clips (clips, samples) for an int8 model."""
    signature, model = read_card(path).signature, TFLiteModel(path)
    scale, zero_point = model.input["quantization"]
    real, whole = (
        Compiled(signature, folder / name, *flags, scale=scale, zero_point=zero_point)
        for name, flags in (("real", ("-DFRONT_END_FLOAT",)), ("whole", ()))
    )
    deviations, steps, classes = [], [], []
    for start in range(0, len(clips), BATCH):
        batch = clips[start : start + BATCH]
        layer = np.asarray(signature.features((batch / 2**15).astype(np.float32)))
        stored, ours = quantise(layer, model.input), whole.features(batch, 500)[..., None]
        deviations.append(np.abs(real.features(batch, 500)[..., None] - layer))
        steps.append(np.abs(ours.astype(int) - stored))
        logits = [model(dequantise(features, model.input)) for features in (stored, ours)]
        classes.append(logits[0].argmax(axis=-1) == logits[1].argmax(axis=-1))
    deviation, step = np.concatenate(deviations), np.concatenate(steps)
    return Parity(
        len(clips),
        float(np.mean(deviation <= 1e-4)),
        float(deviation.max()),
        float(np.mean(step == 0)),
        float(np.mean(step <= 1)),
        float(np.mean(np.concatenate(classes))),
    )


if __name__ == "__main__":
    model, audio, every = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    taken = windows(sorted(audio.iterdir())[::every], read_card(model).signature)
    with tempfile.TemporaryDirectory() as folder:
        print(compare(model, taken, Path(folder)))
