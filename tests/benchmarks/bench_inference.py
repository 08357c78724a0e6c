"""A student on one thread: our `.tflite` files beside ONNX Runtime and PyTorch, same weights.

    python -m tests.benchmarks.bench_inference [--network=FOLDER] [--rounds=25] \
        [--variants] [--compile]

FOLDER holds `spec.json` and `network.keras` of a CP-Mobile or SSCP-Mobile; without it, S1 with
random weights. TensorFlow's runtime and ai-edge-litert run each file. All take turns on one
processor, and what counts is its time, not the clock's, in which the machine's other work is too,
and more of it the longer a call. Float logits are compared with Keras's before.

`--variants` adds our files without what makes them fast: as they were converted, and without
XNNPACK. `--compile` adds torch.compile, which takes a minute or two to begin.
"""

import importlib
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from absl import flags

from dcase_system.complexity.counter import count
from dcase_system.core import cli
from dcase_system.core.errors import InputError
from dcase_system.core.processors import usable_cores
from dcase_system.edge import tflite, timing
from dcase_system.edge.quantisation import quantise
from dcase_system.models import registry
from dcase_system.models.stored import SPEC, load_network
from tests.benchmarks import peers
from tests.benchmarks.harness import (
    Row,
    alternate,
    as_markdown,
    compared,
    fastest,
    machine,
    peak_gflops,
)
from tests.benchmarks.peers import Run

CALLS, TOLERANCE = 10, 1e-4  # calls a round
ONNX, TORCH = "ONNX Runtime float32", "PyTorch float32"
_FORMATS = ("float32", "float16", "int8")


def rows(rounds: int) -> list[Row]:
    """Our files under TensorFlow's runtime, each against its peers; and the machine's peak."""
    network = registry.build(registry.named_spec("sscp_mobile_s1"))
    seconds = benchmark(network, rounds=rounds)
    found = []
    for name in _FORMATS:
        ours = {"ours": seconds[f"tf.lite {name}"]}
        of_peers = {peer: seconds[peer] for peer in (ONNX, best_torch(seconds))}
        found += compared(f"inference of S1, {name}, one thread", ours | of_peers, CALLS)
    operations = 2 * count(network).macs * CALLS / 1e9
    rate = operations / float(np.median(seconds["tf.lite float32"]))
    peak = peak_gflops() / usable_cores()
    title = "inference of S1, float32, one thread"
    return [*found, Row(title, rate, "GFLOP/s", "matrix product, one core", peak, rate / peak)]


def ours(network: Any, features: np.ndarray, variants: bool) -> dict[str, Run]:
    """Our files, under each runtime."""
    with tempfile.TemporaryDirectory() as saved:
        tflite.save_model(network, saved, features.shape[1:], (1,))
        files = tflite.converted(saved, features, _FORMATS)
        with mock.patch.object(tflite, "with_convolved_pooling", bytes):
            plain = tflite.converted(saved, features, _FORMATS) if variants else {}
    runs = {}
    for runtime in timing.RUNTIMES:
        for name, content in files.items():
            runs[f"{runtime} {name}"] = _run(content, features, runtime)
        for name, content in plain.items():
            runs[f"{runtime} {name}, as converted"] = _run(content, features, runtime)
    for name in plain:
        runs[f"tf.lite {name}, without XNNPACK"] = _run(
            files[name], features, "tf.lite", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"
        )
    return runs


def _run(content: bytes, features: np.ndarray, runtime: str, resolver: str = "AUTO") -> Run:
    module = importlib.import_module(timing.RUNTIMES[runtime])
    interpreter = module.Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=getattr(module.OpResolverType, resolver),
    )
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    values = quantise(features, taken)

    def run() -> np.ndarray:
        interpreter.set_tensor(taken["index"], values)
        interpreter.invoke()
        return interpreter.get_tensor(given["index"])

    return run


def benchmark(
    network: Any, spec: Any = None, *, rounds: int, variants: bool = False, compiled: bool = False
) -> dict[str, np.ndarray]:
    """Seconds of processor time of ten calls, by contender and round.

    Raises:
        AssertionError: float logits are not those of Keras.
    """
    spec = spec or registry.named_spec("sscp_mobile_s1")
    shape = (1, *network.input_shape[1:])
    # Levels of a log-mel spectrogram.
    features = np.random.default_rng(0).normal(-4, 2, shape).astype(np.float32)
    runs = ours(network, features, variants)
    with tempfile.TemporaryDirectory() as folder:
        for name, run in peers.onnx_runtime(network, features, Path(folder)).items():
            runs[f"ONNX Runtime {name}"] = run
    for name, run in peers.pytorch(network, spec, features, compiled).items():
        runs[f"{TORCH}, {name}"] = run
    expected = np.asarray(network(features))
    for name, run in runs.items():
        if "float32" in name:
            np.testing.assert_allclose(run(), expected, atol=TOLERANCE, err_msg=name)

    def calls(run: Run):
        return lambda: [run() for _ in range(CALLS)]

    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        repeated = {name: calls(run) for name, run in runs.items()}
        return alternate(repeated, rounds, time.process_time)
    finally:
        os.sched_setaffinity(0, allowed)


def best_torch(seconds: dict[str, np.ndarray]) -> str:
    """The fastest way of PyTorch."""
    return fastest(seconds, (name for name in seconds if name.startswith(TORCH)))


def main(_: Sequence[str]) -> None:
    options = flags.FLAGS
    if peers.missing():
        raise InputError(
            f"not installed: {', '.join(peers.missing())}",
            where="bench_inference",
            expected="pip install -r requirements-parity.txt",
        )
    spec = registry.named_spec("sscp_mobile_s1")
    network = registry.build(spec)
    if options.network:
        folder = Path(options.network)
        network, spec = load_network(folder), registry.read_spec(folder / SPEC)
    seconds = benchmark(
        network, spec, rounds=options.rounds, variants=options.variants, compiled=options.compile
    )
    of_peers = {peer: seconds[peer] for peer in (ONNX, best_torch(seconds))}
    table = [
        row
        for name, taken in seconds.items()
        if name not in of_peers
        for row in compared(name, {name: taken, **of_peers}, CALLS)
    ]
    print(machine())
    print(as_markdown(table))


def _define_flags() -> None:
    flags.DEFINE_string("network", None, "Folder of a stored network; by default S1.")
    flags.DEFINE_integer("rounds", 25, "In each all have their turn.", lower_bound=5)
    flags.DEFINE_bool("variants", False, "Also our files without what makes them fast.")
    flags.DEFINE_bool("compile", False, "Also torch.compile.")


if __name__ == "__main__":
    _define_flags()
    cli.run(main)
