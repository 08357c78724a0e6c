"""Shows installed packages, incompatible versions and the devices that TensorFlow finds.

    python -m dcase_system.doctor

Prints one line per package; exits with status 1 if a required package does not work.
"""

import importlib
import importlib.metadata
import math
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from dcase_system.core import cli

_NEEDED = (
    *("tensorflow", "keras", "tf_keras", "tensorflow-model-optimization", "ai-edge-litert"),
    *("soundfile", "soxr", "scikit-learn", "pydantic", "safetensors", "tabulate", "filelock"),
)
_MODULES = {"scikit-learn": "sklearn"}
# One of each family in the registry.
_ARCHITECTURES = (
    *("cp_mobile", "cp_mobile_2023", "sscp_mobile_s1", "cnn10", "passt_tiny", "scene_a"),
    *("tf_sepnet_64", "cp_resnet_32", "yamnet", "cnn_gru"),
    *("alexnet_modified", "mobilenet_v1", "mobilenet_v2", "shufflenet_v2", "separable_16"),
)
_OPTIONAL = {
    "tensorflow-io": "corpora at URLs; no wheels for Python 3.13",
    "psycopg": "searches that share PostgreSQL",
    "ray": "tasks on several machines",
    "ethos-u-vela": "time and memory on an Ethos-U",
}
_PROGRAMS = {"ffmpeg": "converts recordings that libsndfile cannot read"}
# The TensorFlow release that the tests run on, by Python version.
_ROWS = {(3, 11): "2.17", (3, 12): "2.17", (3, 13): "2.21"}


def main(argv: Sequence[str]) -> int:
    print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    faults, warnings = list(_faults()), list(_warnings())
    for name in _NEEDED:
        print(f"{name} {_version(name) or 'is missing'}")
    for name, purpose in _OPTIONAL.items():
        print(f"{name} {_version(name) or 'is not installed'} (optional: {purpose})")
    for name, purpose in _PROGRAMS.items():
        print(f"{name} {shutil.which(name) or 'is not installed'} (optional: {purpose})")
    if not faults:
        _print_devices()
        faults.extend(_failed_steps())
    for warning in warnings:
        print(f"warning: {warning}")
    for fault in faults:
        print(f"fault: {fault}")
    if faults:
        return 1
    print("this installation works")
    return 0


def _warnings() -> Iterator[str]:
    row = _ROWS.get(sys.version_info[:2])
    installed = _version("tensorflow")
    if row is None:
        known = ", ".join(f"{major}.{minor}" for major, minor in _ROWS)
        yield f"Python {platform.python_version()} is not tested; expected one of {known}"
    elif installed is not None and not installed.startswith(f"{row}."):
        yield f"TensorFlow {installed} is not tested on this Python; expected {row}"


def _faults() -> Iterator[str]:
    for name in _NEEDED:
        if _version(name) is None:
            yield f"{name} is missing; install what requirements.txt lists"
            continue
        module = _MODULES.get(name, name.replace("-", "_"))
        try:
            importlib.import_module(module)
        except (ImportError, OSError) as error:
            yield f"{name} cannot be imported: {' '.join(str(error).split())}"


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _print_devices() -> None:
    import soundfile
    import tensorflow as tf

    kinds = [device.name for device in tf.config.list_physical_devices("GPU")]
    print(f"GPUs: {', '.join(kinds) or 'none; TensorFlow computes on the CPU'}")
    print(f"libsndfile {soundfile.__libsndfile_version__}: {', '.join(sorted(_formats()))}")
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    print(f"free disk space here: {free:,.0f} GB")


def _failed_steps() -> Iterator[str]:
    """Trains each architecture for one step of two random inputs; yields those that fail."""
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    device = gpus[0].name if gpus else "/CPU:0"
    for name in _ARCHITECTURES:
        begin = time.monotonic()
        try:
            with tf.device(device):
                loss = _one_step(name)
        except (tf.errors.OpError, RuntimeError, ValueError) as error:
            yield f"{name}: training step on {device} failed: {' '.join(str(error).split())[:300]}"
            continue
        if not math.isfinite(loss):
            yield f"{name}: training step on {device} gives the loss {loss}"
        else:
            print(f"training step of {name} on {device}: {time.monotonic() - begin:.1f} s")


def _one_step(name: str) -> float:
    """The loss of an architecture before its first step, which is taken."""
    import keras
    import numpy as np

    from dcase_system.models import registry

    network = registry.build_fixed(registry.named_spec(name))
    network.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), run_eagerly=True)
    generator = np.random.default_rng(0)
    features = generator.normal(size=(2, *network.input_shape[1:])).astype(np.float32)
    targets = np.eye(2, network.output_shape[-1], dtype=np.float32)
    return float(network.train_on_batch(features, targets))


def _formats() -> Iterator[str]:
    import soundfile

    known = soundfile.available_formats()
    yield from (name for name in ("WAV", "FLAC", "OGG", "MP3", "AIFF", "CAF") if name in known)


if __name__ == "__main__":
    cli.run(main)
