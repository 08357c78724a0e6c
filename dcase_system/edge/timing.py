"""Running a `.tflite` file for its time and its memory; imports nothing but the runtime.

As a command it measures one file in a process that holds nothing else, for `latency`:

    python -m dcase_system.edge.timing MODEL.tflite RUNTIME REPEATS THREADS...

It prints what `measure` returns, as JSON.
"""

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

# Where each runtime's `Interpreter` is.
RUNTIMES = {
    "tf.lite": "tensorflow.lite.python.interpreter",
    "ai_edge_litert": "ai_edge_litert.interpreter",
}
# The first calls allocate, pack weights and fill the caches.
WARM_UP = 5


def load(path: str | Path, threads: int, runtime: str = "tf.lite") -> Any:
    """An interpreter of a file, its tensors allocated, with the runtime's own default kernels."""
    module = importlib.import_module(RUNTIMES[runtime])
    interpreter = module.Interpreter(str(path), num_threads=threads)
    interpreter.allocate_tensors()
    return interpreter


def milliseconds(interpreter: Any, repeats: int) -> np.ndarray:
    """Of each call on noise: handing the input over, running, taking the output.

    What a caller does besides, such as quantising the input, is not in it. The time does not depend
    on the values.

    Returns:
        (2, repeats): on the clock, and of the processor, all threads together. Other work on the
        machine makes the first longer and not the second.
    """
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    values = np.random.default_rng(0).normal(size=taken["shape"])
    if np.issubdtype(taken["dtype"], np.integer):
        values = np.clip(30 * values, -128, 127)
    values = values.astype(taken["dtype"])
    elapsed = np.empty((2, WARM_UP + repeats))
    for call in range(WARM_UP + repeats):
        started = time.perf_counter(), time.process_time()
        interpreter.set_tensor(taken["index"], values)
        interpreter.invoke()
        interpreter.get_tensor(given["index"])
        ended = time.perf_counter(), time.process_time()
        elapsed[:, call] = np.subtract(ended, started)
    return 1_000 * elapsed[:, WARM_UP:]


def memory_bytes(field: str) -> int:
    """Of this process: `VmRSS`, what it holds now, of that `RssAnon` its own, `VmHWM` the most.

    `getrusage` will not do: after a fork it still reports the parent's peak.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1_024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def measure(path: str, runtime: str, repeats: int, threads: list[int]) -> dict[str, Any]:
    """Times at each number of threads; peak memory of loading and running with the first of them.

    Memory is what the process grows by at most, from before the file is opened: file, arena, packed
    weights, and the pages of the runtime's code that are touched. None without Linux's /proc.
    """
    importlib.import_module(RUNTIMES[runtime])
    reset = Path("/proc/self/clear_refs")
    before = None
    if reset.exists():
        reset.write_text("5", encoding="ascii")  # makes the peak what is held now
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
