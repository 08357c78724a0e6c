"""Reads thousands of broken files of each kind; each gives a result or a one-line error.

    python -m tests.robustness.fuzz --inputs=10000 [--kinds="WAV files"] [--seed=0]

Each kind is read in a process of its own, so that a crash of native code is seen as one. Prints a
table; exits with 1 if an input led to a traceback, a crash, a hang or a write outside the folder,
and leaves these inputs in `--output_dir`.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system.core.errors import InputError
from tests.commands import FORKS
from tests.robustness.kinds import KINDS, Kind
from tests.robustness.native import NATIVE
from tests.robustness.stores import STORES
from tests.robustness.watched import LIMIT_SECONDS, READ, REFUSED, Watched

ALL: dict[str, Kind] = {kind.name: kind for kind in (*KINDS, *NATIVE, *STORES)}


def _faulty(folder: Path) -> tuple[Sequence[bytes], Any]:
    """A reader with every fault, which tests the fuzzer."""

    def read(content: bytes) -> object:
        if content == b"0":
            raise KeyError("no line")
        if content == b"1":
            os.kill(os.getpid(), signal.SIGSEGV)
        if content == b"2":
            (folder.parent / "outside").touch()
        if content == b"3":
            raise RecursionError("no line either")
        raise InputError("as it should be", where=folder)

    return [b"0", b"1", b"2", b"3", b"4"], read


FAULTY = Kind("faulty", _faulty, lambda seeds, generator: seeds[int(generator.integers(5))])
_PATIENCE_SECONDS = 60.0  # by the clock, which on a busy machine runs faster


@dataclass
class Found:
    """Outcomes of a kind's inputs."""

    outcomes: Counter[str] = field(default_factory=Counter)
    longest_seconds: float = 0.0
    faults: list[tuple[int, str]] = field(default_factory=list)

    def add(self, index: int, outcome: str, seconds: float) -> None:
        name, _, detail = outcome.partition("\n")
        if seconds > LIMIT_SECONDS and name in (READ, REFUSED):
            name, detail = "hang", f"{seconds:.1f} s"
        self.outcomes[name] += 1
        self.longest_seconds = max(self.longest_seconds, seconds)
        if name not in (READ, REFUSED):
            self.faults.append((index, f"{name}: {detail}"))


def drawn(kind: Kind, seeds: Sequence[bytes], seed: int, index: int) -> bytes:
    """Input of this number; an input depends on nothing but the seed, the kind and its number."""
    name = int.from_bytes(kind.name.encode()[:7], "little")
    return kind.draw(seeds, np.random.default_rng([seed, name, index]))


def fuzz(kind: Kind, inputs: int, seed: int = 0) -> Found:
    """Reads so many inputs of a kind, in as many processes as crashes and hangs ask for."""
    found, done = Found(), 0
    with tempfile.TemporaryDirectory() as box:
        while done < inputs:
            receive, send = FORKS.Pipe(duplex=False)
            process = FORKS.Process(target=_work, args=(kind.name, seed, done, inputs, box, send))
            process.start()
            send.close()
            for index, outcome, seconds in _received(receive, process, done, inputs):
                found.add(index, outcome, seconds)
                done = index + 1
            process.join()
        left = [path.name for path in Path(box).iterdir() if path.name != "run"]
        if left:
            found.faults.append((-1, f"written outside: {left}"))
    return found


def _received(
    receive: Connection, process: Any, first: int, inputs: int
) -> Iterator[tuple[int, str, float]]:
    for index in range(first, inputs):
        try:
            # The first one waits for TensorFlow and for what is to be broken.
            if receive.poll(_PATIENCE_SECONDS * (1 if index > first else 5)):
                yield receive.recv()
                continue
            process.kill()
            yield index, "hang\nkilled", _PATIENCE_SECONDS
        except EOFError:
            process.join()
            yield index, f"crash\nexit status {process.exitcode}", 0.0
        return


def _work(name: str, seed: int, first: int, inputs: int, box: str, send: Connection) -> None:
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    kind = ALL.get(name, FAULTY)
    watched = Watched(kind, Path(box))
    for index in range(first, inputs):
        content = drawn(kind, watched.seeds, seed, index)
        started = time.process_time()
        outcome = watched.outcome(content)
        send.send((index, outcome, time.process_time() - started))
    send.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000, help="of each kind")
    parser.add_argument("--kinds", help=f"comma-separated, of: {', '.join(ALL)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output_dir", type=Path, help="where inputs with faults are left")
    options = parser.parse_args()
    names = options.kinds.split(",") if options.kinds else list(ALL)
    faulty = False
    columns = ("kind", "inputs", "read", "refused in one line", "faults", "longest s", "minutes")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name in names:
        started = time.monotonic()
        found = fuzz(ALL[name], options.inputs, options.seed)
        good = found.outcomes[READ], found.outcomes[REFUSED]
        faults = sum(found.outcomes.values()) - sum(good)
        cells = (name, f"{options.inputs:,}", *map("{:,}".format, good), faults)
        times = f"{found.longest_seconds:.2f} | {(time.monotonic() - started) / 60:.1f}"
        print(f"| {' | '.join(map(str, cells))} | {times} |", flush=True)
        for index, fault in found.faults[:5]:
            print(f"  {name} {index}: {fault}", file=sys.stderr, flush=True)
        faulty |= bool(found.faults)
        if options.output_dir and found.faults:
            _leave(ALL[name], found, options.seed, options.output_dir)
    return int(faulty)


def _leave(kind: Kind, found: Found, seed: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        seeds, _ = kind.prepare(Path(place))
    for index, _ in found.faults:
        if index >= 0:
            name = kind.name.replace(" ", "_").replace(".", "")
            (folder / f"{name}-{index}").write_bytes(drawn(kind, seeds, seed, index))


if __name__ == "__main__":
    sys.exit(main())
