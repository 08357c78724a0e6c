"""Measures time and memory of `.tflite` files and of their front ends on this machine.

    python -m dcase_system.edge.latency MODEL.tflite... \\
        [--runtime=ai_edge_litert]

For each file: median and 95th percentile of the milliseconds of one call at each number of threads,
and peak memory. A call is one clip, or one segment if clips are cut into segments and the file
takes features. A file that takes features also needs the front end, and one that takes the waveform
contains it; the front end of each signature is therefore measured alone as well: as TensorFlow Lite
runs it, in a file of its own, and, where there is one, in NumPy, as `classify` computes it before
either kind of file. Each file is measured in its own process (`timing`).
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from absl import app, flags

from dcase_system.core import cli
from dcase_system.core.processors import usable_cores
from dcase_system.edge import timing

_PACKAGES = {"tf.lite": "tensorflow", "ai_edge_litert": "ai-edge-litert"}


def main(argv: Sequence[str]) -> None:
    options = flags.FLAGS
    if len(argv) < 2:
        raise app.UsageError("expected .tflite files")
    from dcase_system.edge import _latency  # imports TensorFlow

    threads = [int(count) for count in options.threads]
    results = _latency.measure_files(
        [Path(name) for name in argv[1:]], threads, options.repeats, options.runtime
    )
    where = {
        "runtime": f"{options.runtime} {metadata.version(_PACKAGES[options.runtime])}",
        "repeats": options.repeats,
        "processors": usable_cores(),
        "load": round(os.getloadavg()[0], 1),
    }
    if options.json:
        print(json.dumps({**where, "files": [asdict(one) for one in results]}, indent=2))
    else:
        print(_latency.as_text(results))
        print("; ".join(f"{name} {value}" for name, value in where.items()))


def _define_flags() -> None:
    flags.DEFINE_list("threads", ["1", "2"], "THREADS: Numbers of threads to measure with.")
    flags.DEFINE_integer(
        "repeats",
        100,
        "CALLS: Measured calls of each file, with each number of threads.",
        lower_bound=1,
    )
    flags.DEFINE_enum("runtime", "ai_edge_litert", list(timing.RUNTIMES), "Runtime for the files.")
    flags.DEFINE_bool("json", False, "Print JSON instead of a table.")
    flags.register_validator(
        "threads",
        lambda counts: all(count.isdecimal() and int(count) for count in counts),
        "must be positive numbers",
    )


if __name__ == "__main__":
    _define_flags()
    cli.run(main, takes_arguments=True)
