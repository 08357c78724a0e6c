"""Latency of a network, measured on the machine at hand."""

import tempfile
import time
from pathlib import Path

import numpy as np

from dcase_system.edge import tflite
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec


def measured_latency(
    spec: CNN10Spec, *, format_name: str = "float32", threads: int = 1, repeats: int = 20
) -> float:
    """Milliseconds of one clip by the TFLite interpreter: the median, after a warm-up.

    Weights are random: they do not change the time.

    Args:
        spec: of the network, with the length of its input.
        format_name: of the `.tflite` file.
        threads: of the interpreter.
        repeats: measured calls.
    """
    features = np.random.default_rng(0).normal(size=(1, *spec.input_shape, 1)).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tflite.export(registry.build_fixed(spec), folder, features, formats=(format_name,))
        run = tflite.TFLiteModel(folder / tflite.file_name(format_name), threads)
        run(features)
        seconds = []
        for _ in range(repeats):
            started = time.perf_counter()
            run(features)
            seconds.append(time.perf_counter() - started)
    return 1_000 * float(np.median(seconds))
