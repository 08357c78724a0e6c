"""Cases that every architecture's tests share."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcase_system.edge import tflite
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models import registry
from dcase_system.models.stored import load_network, save_network


def assert_comes_back(network: keras.Model, spec: Any, folder: Path, features: np.ndarray) -> None:
    """A stored network and its spec come back."""
    save_network(folder, network, spec)
    assert registry.read_spec(folder / "spec.json") == spec
    np.testing.assert_allclose(load_network(folder)(features), network(features), atol=1e-5)


def assert_files_agree(network: keras.Model, folder: Path, features: np.ndarray) -> None:
    """Exported files agree with the network, in shares of the range of its logits."""
    tflite.export(network, folder, features, formats=("float32", "int8"))
    expected = np.asarray(network(features))
    for name, share in (("float32", 1e-4), ("int8", 0.2)):
        logits = TFLiteModel(folder / tflite.file_name(name))(features)
        np.testing.assert_allclose(logits, expected, atol=share * np.ptp(expected))
