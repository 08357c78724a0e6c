"""Measures time and memory of a `.tflite` file; imports nothing but the runtime.

As a command it measures one file in an otherwise empty process, for `latency`:

    python -m dcase_system.edge.timing MODEL.tflite RUNTIME REPEATS THREADS...

It prints what `measure` returns, as JSON.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# Module with each runtime's `Interpreter`.
RUNTIMES = {
    "tf.lite": "tensorflow.lite.python.interpreter",
    "ai_edge_litert": "ai_edge_litert.interpreter",
}
# The first calls allocate memory, pack weights and fill caches.
WARM_UP = 5


def load(path: str | Path, threads: int, runtime: str = "ai_edge_litert") -> Any:
    """Loads an interpreter with allocated tensors and the runtime's default kernels."""
    module = importlib.import_module(RUNTIMES[runtime])
    interpreter = module.Interpreter(str(path), num_threads=threads)
    interpreter.allocate_tensors()
    return interpreter


def milliseconds(interpreter: Any, repeats: int) -> np.ndarray:
    """Times each call on noise: setting the input, running, getting the output.

    The caller's own work, such as quantizing the input, is not included. The time does not depend
    on the values.

    Returns:
        (2, repeats): wall-clock time, and processor time of all threads together. Other work on
        the machine lengthens only the first.
    """
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    values = np.random.default_rng(0).normal(size=taken["shape"])
    if np.issubdtype(taken["dtype"], np.integer):
        values = np.clip(30 * values, -128, 127)
    values = values.astype(taken["dtype"])

    def call() -> None:
        interpreter.set_tensor(taken["index"], values)
        interpreter.invoke()
        interpreter.get_tensor(given["index"])

    return milliseconds_of(call, repeats)


def milliseconds_of(call: Callable[[], object], repeats: int) -> np.ndarray:
    """Times each of some calls, after a few that are not counted; see `milliseconds`."""
    elapsed = np.empty((2, WARM_UP + repeats))
    for at in range(WARM_UP + repeats):
        started = time.perf_counter(), time.process_time()
        call()
        ended = time.perf_counter(), time.process_time()
        elapsed[:, at] = np.subtract(ended, started)
    return 1_000 * elapsed[:, WARM_UP:]


def memory_bytes(field: str) -> int:
    """Returns this process's `VmRSS` (resident), `RssAnon` (its anonymous part) or `VmHWM` (peak).

    Not from `getrusage`: after a fork it still reports the parent's peak.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1_024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def measure(path: str, runtime: str, repeats: int, threads: list[int]) -> dict[str, Any]:
    """Measures the times for each number of threads, and peak memory with the first of them.

    Peak memory is the largest growth of the process since before the file was opened: file, arena,
    packed weights, and touched pages of the runtime's code. None without Linux's /proc.
    """
    importlib.import_module(RUNTIMES[runtime])
    reset = Path("/proc/self/clear_refs")
    before = None
    if reset.exists():
        reset.write_text("5", encoding="ascii")  # resets the peak to the current size
        before = memory_bytes("VmRSS")
    times, peak = {}, None
    for count in threads:
        interpreter = load(path, count, runtime)
        times[count] = milliseconds(interpreter, repeats).tolist()
        if peak is None and before is not None:
            peak = memory_bytes("VmHWM") - before
    return {"milliseconds": times, "peak_memory_bytes": peak}


if __name__ == "__main__":
    _, _path, _runtime, _repeats, *_threads = sys.argv
    print(json.dumps(measure(_path, _runtime, int(_repeats), [int(count) for count in _threads])))
