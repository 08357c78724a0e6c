"""The submitted files, and their scores as the contest computes them."""

from pathlib import Path

import keras
import numpy as np
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from dcase_system.biodcase.board import board_report
from dcase_system.biodcase.features import Features, FeatureSet
from dcase_system.biodcase.rank import Measures
from dcase_system.complexity.counter import count
from dcase_system.edge import tflite
from dcase_system.edge.folding import folded
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models.stored import load_model
from dcase_system.training.predict import predict

KERAS_FILE, TFLITE_FILE = "network.keras", "network.tflite"  # equal but for the suffix
_CALIBRATION_CLIPS = 200


def write_files(folder: Path, network: keras.Model, train: FeatureSet, seed: int) -> None:
    """Writes the `.keras` and the int8 `.tflite` file of a trained network.

    Batch norm is folded into the layers before it: the contest counts its operations, and rounding
    it would cost accuracy. All layers are Keras's own.

    Args:
        folder: Output folder.
        network: Trained network from features to logits.
        train: Training clips, some of which set the ranges of the int8 activations.
        seed: Seed for the choice of these clips.
    """
    small = folded(network)
    small.save(folder / KERAS_FILE)
    drawn = np.random.default_rng(seed).permutation(len(train))[:_CALIBRATION_CLIPS]
    tflite.export(small, folder, train.gather(np.sort(drawn)), ["int8"])
    (folder / tflite.file_name("int8")).rename(folder / TFLITE_FILE)


def measure(folder: Path, features: Features) -> Measures:
    """Scores the files on the test clips and counts their costs.

    Raises:
        InputError: A file is missing or damaged.
    """
    network, test = load_model(folder / KERAS_FILE), features.test
    content = (folder / TFLITE_FILE).read_bytes()
    logits = {
        "keras": predict(network, test),
        "tflite": _Truncating(folder / TFLITE_FILE)(test.features),
    }
    accuracy = {
        name: float((values.argmax(axis=1) == test.labels).mean())
        for name, values in logits.items()
    }
    auc = {name: roc_auc(values, test.labels) for name, values in logits.items()}
    return Measures(
        accuracy_keras=accuracy["keras"],
        accuracy_tflite=accuracy["tflite"],
        roc_auc_keras=auc["keras"],
        roc_auc_tflite=auc["tflite"],
        bytes_keras=(folder / KERAS_FILE).stat().st_size,
        bytes_tflite=len(content),
        macs_keras=profiled_macs(network),
        params_keras=network.count_params(),
        board=board_report(content),
    )


class _Truncating(TFLiteModel):
    """Runs an int8 file as the contest's evaluation does, which truncates where one rounds."""

    def __call__(self, clips: np.ndarray) -> np.ndarray:
        scale, zero_point = self.input["quantization"]
        stored = np.clip(clips / scale + zero_point, -128, 127).astype(np.int8)
        return super().__call__((stored.astype(np.float32) - zero_point) * np.float32(scale))


def profiled_macs(network: keras.Model) -> int:
    """MACs of a Keras network as the contest counts them: half of TensorFlow's profiled operations.

    The profiler takes two operations for a product with its sum, and one for adding a bias and for
    each value that a pooling reads. The first count here has biases, the second has poolings.
    """
    counted = count(network)
    return (counted.macs + counted.nessi_macs) // 2


def roc_auc(logits: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve, one class against the rest: the mean over classes that occur.

    Args:
        logits: Logits (clips, classes).
        labels: Class indices (clips,) of at least two classes.
    """
    probabilities = softmax(logits.astype(np.float64), axis=1)
    areas = [roc_auc_score(labels == one, probabilities[:, one]) for one in np.unique(labels)]
    return float(np.mean(areas))
