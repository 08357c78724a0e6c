"""A student on one thread: our `.tflite` files beside ONNX Runtime and PyTorch, same weights.

    python -m tests.benchmarks.bench_inference [--network=FOLDER] [--rounds=25] \
        [--variants] [--compile]

FOLDER holds `spec.json` and `network.keras` of a CP-Mobile or SSCP-Mobile; without it, S1 with
random weights. Needs requirements-parity.txt; runs ai-edge-litert as well if it is there. All take
turns on one processor, and what counts is its time, not the clock's, in which the machine's other
work is too, and more of it the longer a call. Float logits are compared with Keras's before. A
ratio is the median over the rounds of what two took in the same round.

`--variants` adds our files without what makes them fast: as they were converted, and without
XNNPACK. `--compile` adds torch.compile, which takes a minute or two to begin.
"""

import importlib
import os
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from absl import flags

from dcase_system import cli
from dcase_system.edge import tflite, timing
from dcase_system.errors import InputError
from dcase_system.models import registry
from dcase_system.models.stored import SPEC, load_network
from tests.benchmarks import peers
from tests.benchmarks.peers import Run

CALLS, TOLERANCE = 10, 1e-4
ONNX, TORCH = "ONNX Runtime float32", "PyTorch float32"
_FORMATS = ("float32", "int8")


def ours(network: Any, features: np.ndarray, variants: bool) -> dict[str, Run]:
    """Our files, under each runtime that is there."""
    runtimes = [name for name, at in timing.RUNTIMES.items() if find_spec(at.partition(".")[0])]
    files = tflite.converted(network, features, _FORMATS)
    plain = {}
    if variants:
        with mock.patch.object(tflite, "simplified", bytes):
            plain = tflite.converted(network, features, _FORMATS)
    runs = {}
    for runtime in runtimes:
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
    values = tflite._quantise(features, taken)

    def run() -> np.ndarray:
        interpreter.set_tensor(taken["index"], values)
        interpreter.invoke()
        return interpreter.get_tensor(given["index"])

    return run


def measure(runs: dict[str, Run], rounds: int) -> dict[str, np.ndarray]:
    """Milliseconds of processor time by round: the median of ten calls, after a first one."""
    found = {name: np.empty(rounds) for name in runs}
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        for at in range(rounds):
            for name, run in runs.items():
                run()
                calls = np.empty(CALLS)
                for call in range(CALLS):
                    started = time.process_time()
                    run()
                    calls[call] = time.process_time() - started
                found[name][at] = 1_000 * np.median(calls)
    finally:
        os.sched_setaffinity(0, allowed)
    return found


def benchmark(
    stored: str | None = None, rounds: int = 25, variants: bool = False, compiled: bool = False
) -> dict[str, np.ndarray]:
    """Milliseconds by contender and round.

    Raises:
        AssertionError: float logits are not those of Keras.
    """
    if stored:
        network, spec = load_network(Path(stored)), registry.read_spec(Path(stored) / SPEC)
    else:
        spec = registry.named_spec("sscp_mobile_s1")
        network = registry.build(spec)
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
    return measure(runs, rounds)


def best_torch(found: dict[str, np.ndarray]) -> str:
    """The fastest way of PyTorch."""
    ways = [name for name in found if name.startswith(TORCH)]
    return min(ways, key=lambda name: float(np.median(found[name])))


def ratio(found: dict[str, np.ndarray], name: str, peer: str) -> float:
    return float(np.median(found[name] / found[peer]))


def as_text(found: dict[str, np.ndarray]) -> str:
    """A table, and which way of PyTorch the last column is of."""
    torch = best_torch(found)
    lines = [f"{'one thread':<44}{'median ms':>10}{'least':>8}{'/ ONNX':>9}{'/ PyTorch':>11}"]
    for name, values in found.items():
        times = f"{np.median(values):10.3f}{values.min():8.3f}"
        lines.append(
            f"{name:<44}{times}{ratio(found, name, ONNX):9.2f}{ratio(found, name, torch):11.2f}"
        )
    return "\n".join([*lines, f"/ ONNX: {ONNX}; / PyTorch: {torch}; load {os.getloadavg()[0]:.1f}"])


def main(_: Sequence[str]) -> None:
    options = flags.FLAGS
    if peers.missing():
        raise InputError(
            f"not installed: {', '.join(peers.missing())}",
            where="bench_inference",
            expected="pip install -r requirements-parity.txt",
        )
    found = benchmark(options.network, options.rounds, options.variants, options.compile)
    print(as_text(found))


def _define_flags() -> None:
    flags.DEFINE_string("network", None, "Folder of a stored network; by default S1.")
    flags.DEFINE_integer("rounds", 25, "In each all have their turn.", lower_bound=15)
    flags.DEFINE_bool("variants", False, "Also our files without what makes them fast.")
    flags.DEFINE_bool("compile", False, "Also torch.compile.")


if __name__ == "__main__":
    _define_flags()
    cli.run(main)
