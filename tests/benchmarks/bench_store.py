"""Filling a large store: in one go, and by writer processes that are killed; the bytes compared.

    python -m tests.benchmarks.bench_store [--clips=100000] [--writers=4] [--kills=2]

Clips are of one second, generated. The store is made in one go by one process and its files are
digested. Then it is made anew by writer processes; all of them are killed by SIGKILL, at moments
that are drawn among the shards, and started again. Both stores must have the same bytes.
"""

import multiprocessing
import os
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags

from dcase_system import cli
from dcase_system.audio.store import ingest
from dcase_system.files import file_digest
from tests.benchmarks.clips import write_clips
from tests.benchmarks.harness import machine

SPAWNED = multiprocessing.get_context("spawn")


def _ingest(folder: Path, clips: int, writers: int) -> None:
    os.setpgid(0, 0)  # to be killed with the writers
    ingest(folder / "store", folder / "audio", _names(clips), writers=writers)


def _names(clips: int) -> list[str]:
    return [f"{at:06d}.wav" for at in range(clips)]


def _started(folder: Path, clips: int, writers: int):
    process = SPAWNED.Process(target=_ingest, args=(folder, clips, writers))
    process.start()
    return process


def _killed(folder: Path, clips: int, writers: int, shards: int) -> float:
    """Starts an ingest and kills it a moment after so many shards are done; its seconds."""
    started = time.perf_counter()
    process = _started(folder, clips, writers)
    while len(list((folder / "store").glob("*.int16"))) < shards and process.is_alive():
        time.sleep(0.05)
    assert process.is_alive(), "it ended before it could be killed"
    os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()
    return time.perf_counter() - started


def _whole(folder: Path, clips: int, writers: int) -> float:
    started = time.perf_counter()
    process = _started(folder, clips, writers)
    process.join()
    assert process.exitcode == 0
    return time.perf_counter() - started


def _digests(store: Path) -> dict[str, str]:
    return {path.name: file_digest(path) for path in sorted(store.iterdir()) if path.suffix}


def main(_: Sequence[str]) -> None:
    options = flags.FLAGS
    clips, writers = options.clips, options.writers
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(dir=options.scratch_dir) as name:
        folder = Path(name)
        (folder / "audio").mkdir()
        write_clips(folder / "audio", clips)
        seconds = _whole(folder, clips, 1)
        expected = _digests(folder / "store")
        shards = sum(path.endswith(".int16") for path in expected)
        print(f"in one go: {clips:,} clips, {shards} shards, {seconds:.0f} s", flush=True)
        shutil.rmtree(folder / "store")
        drawn = np.random.default_rng(options.seed).permutation(np.arange(1, shards - writers))
        for at in sorted(drawn[: options.kills]):
            seconds = _killed(folder, clips, writers, int(at))
            done = len(list((folder / "store").glob("*.int16")))
            print(f"killed after {seconds:.0f} s with {done} shards done", flush=True)
        print(f"the rest: {_whole(folder, clips, writers):.0f} s", flush=True)
        assert _digests(folder / "store") == expected, "the stores differ"
        print(f"the same {len(expected)} files, bit for bit")
    computed = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN,)]
    spent = sum(usage.ru_utime + usage.ru_stime for usage in computed)
    print(f"processor time of both: {spent:.0f} s (without what was killed as a grandchild)")


if __name__ == "__main__":
    flags.DEFINE_integer("clips", 100_000, "CLIPS: In the store.", lower_bound=10_000)
    flags.DEFINE_integer("writers", 4, "PROCESSES: That write together.", lower_bound=2)
    flags.DEFINE_integer("kills", 2, "Times that all of them are killed.", lower_bound=0)
    flags.DEFINE_integer("seed", 0, "Of the moments.")
    flags.DEFINE_string("scratch_dir", None, "FOLDER: On a disk with 70 kB a clip. [the system's]")
    cli.run(main)
