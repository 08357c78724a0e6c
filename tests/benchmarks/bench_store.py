"""Compares waveform stores: filled, killed, filled by two processes, read in any order.

    python -m tests.benchmarks.bench_store --audio_dir=DIR [--clips=30000]
        [--stores=.,CHECKOUT_BEFORE,array_record]

A store is that of a checkout of this project, or ArrayRecord files of 128 MiB (a package to be
installed by hand). The clips are the files of a folder, of one second, at one rate. Every step is a
process of its own. Killed is one that has decoded half of the clips, by SIGKILL; all must end with
the same samples.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from dcase_system.core import cli
from tests.benchmarks import store_ways
from tests.benchmarks.harness import machine


def _started(step: str, contender: str, store: Path, clips: int) -> subprocess.Popen:
    is_checkout = contender != "array_record"
    checkout = str(Path(contender if is_checkout else ".").resolve())
    path = os.pathsep.join([checkout, os.environ.get("PYTHONPATH", "")])
    way = "store" if is_checkout else contender
    arguments = [step, way, str(store), flags.FLAGS.audio_dir, str(clips)]
    return subprocess.Popen(
        [sys.executable, store_ways.__file__, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def _result(process: subprocess.Popen) -> dict:
    output, _ = process.communicate()
    assert process.returncode == 0
    return json.loads(output)


def _decoded(store: Path) -> int:
    counter = Path(f"{store}.decoded")
    return counter.stat().st_size if counter.exists() else 0


def measured(contender: str, folder: Path, clips: int) -> dict[str, str]:
    """A row of the table."""
    whole, killed, shared = (folder / name for name in ("whole", "killed", "shared"))
    fill = _result(_started("fill", contender, whole, clips))
    reads = [_result(_started("read", contender, whole, clips)) for _ in range(3)]
    read = sorted(reads, key=lambda one: one["clips/s"])[1]
    cold = _result(_started("read_cold", contender, whole, clips))
    process = _started("fill", contender, killed, clips)
    while _decoded(killed) < clips // 2:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    rest = _result(_started("fill", contender, killed, clips))["seconds"]
    again = _decoded(killed) - clips
    both = [_started("fill", contender, shared, clips) for _ in range(2)]
    together = max(_result(one)["seconds"] for one in both)
    stores = (whole, killed, shared)
    digests = [_result(_started("digest", contender, store, clips)) for store in stores]
    assert all(one == digests[0] for one in digests)
    for store in stores:
        shutil.rmtree(store)
    return {
        "store": contender,
        "clips/s filled": f"{clips / fill['seconds']:,.0f}",
        "processor ms a clip": f"{1_000 * fill['processor'] / clips:.2f}",
        "clips/s by two processes": f"{clips / together:,.0f}",
        "decoded twice by two": f"{_decoded(shared) - clips:,}",
        "decoded twice after a kill": f"{again:,}",
        "seconds for the rest": f"{rest:.1f}",
        "clips/s read": f"{read['clips/s']:,.0f}",
        "processor us a clip read": f"{read['processor us']:.0f}",
        "clips/s read, not cached": f"{cold['clips/s']:,.0f}",
        "most MB": f"{read['most MB']:,.0f}",
        "samples": digests[0]["digest"][:8],
    }


def main(_: Sequence[str]) -> None:
    print(machine(), flush=True)
    for at, contender in enumerate(flags.FLAGS.stores):
        with tempfile.TemporaryDirectory(dir=flags.FLAGS.scratch_dir) as folder:
            row = measured(contender, Path(folder), flags.FLAGS.clips)
        if at == 0:
            print(f"| {' | '.join(row)} |\n|{'---|' * len(row)}")
        print(f"| {' | '.join(row.values())} |", flush=True)


if __name__ == "__main__":
    flags.DEFINE_string("audio_dir", None, "FOLDER: Of the clips.", required=True)
    flags.DEFINE_integer("clips", 3_000, "CLIPS: In a store.", lower_bound=1_000)
    flags.DEFINE_list("stores", ["."], "CHECKOUTS: Of this project, and array_record.")
    flags.DEFINE_string("scratch_dir", None, "FOLDER: On a disk with 200 kB a clip. [the system's]")
    cli.run(main)
