"""Implements `edge.latency`."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.edge import tflite, timing
from dcase_system.edge.card import read_card
from dcase_system.models.signature import ModelSignature


@dataclass(frozen=True)
class Time:
    """Milliseconds of one call, after warm-up calls.

    Attributes:
        threads: Number of interpreter threads.
        median: Median wall-clock time.
        percentile_95: 95th percentile of wall-clock time.
        processor: Mean processor time of all threads together, without other work on the machine.
            (Not a median: the time of threads on other processors is only updated now and then.)
    """

    threads: int
    median: float
    percentile_95: float
    processor: float


@dataclass(frozen=True)
class Latency:
    """Time and memory of a file.

    Attributes:
        file: Name of the file.
        takes: Input, `features` or `waveform`.
        bytes: Size of the file.
        times: Times, one for each number of threads.
        peak_memory_bytes: Growth of the process (see `timing.measure`); None if unknown.
        front_end: Processor time of the front end alone with the first number of threads, in
            milliseconds.
    """

    file: str
    takes: str
    bytes: int
    times: tuple[Time, ...]
    peak_memory_bytes: int | None
    front_end: float | None = None


def measure(
    path: Path, takes: str, threads: Sequence[int], repeats: int, runtime: str = "ai_edge_litert"
) -> Latency:
    """Measures a file in its own process.

    Args:
        path: The `.tflite` file.
        takes: Input, `features` or `waveform`.
        threads: Numbers of threads.
        repeats: Number of measured calls.
        runtime: One of `timing.RUNTIMES`.

    Raises:
        InputError: The runtime cannot run the file.
    """
    command = [sys.executable, "-m", timing.__name__, str(path), runtime, str(repeats)]
    done = subprocess.run(
        [*command, *map(str, threads)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise InputError(f"{runtime} cannot run the file ({' '.join(last)})", where=path)
    # The runtime may print its own lines first.
    measured = json.loads(done.stdout.splitlines()[-1])
    times = [_time(int(count), *values) for count, values in measured["milliseconds"].items()]
    size = path.stat().st_size
    return Latency(path.name, takes, size, tuple(times), measured["peak_memory_bytes"])


def measure_front_end(
    signature: ModelSignature, threads: Sequence[int], repeats: int, runtime: str = "ai_edge_litert"
) -> Latency:
    """Measures a signature's front end alone, from the samples of a clip to its features."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "front end alone"
        shape = (1, *signature.waveform_shape)
        path.write_bytes(tflite.converted_function(signature.features, shape, "waveform"))
        return measure(path, "waveform", threads, repeats, runtime)


def measure_numpy_features(
    signature: ModelSignature, threads: Sequence[int], repeats: int
) -> Latency | None:
    """Measures the front end as `classify` computes it, in this process; None if it does not.

    NumPy takes no more threads for it, whatever their number.
    """
    features = signature.numpy_features()
    if features is None:
        return None
    clip = np.random.default_rng(0).normal(size=(1, *signature.waveform_shape)).astype(np.float32)
    found = [timing.milliseconds_of(lambda: features(clip), repeats) for _ in threads]
    times = tuple(_time(count, *values) for count, values in zip(threads, found, strict=True))
    return Latency("front end in NumPy, for classify", "waveform", 0, times, None)


def measure_files(
    paths: Sequence[Path], threads: Sequence[int], repeats: int, runtime: str = "ai_edge_litert"
) -> list[Latency]:
    """Measures files with cards; before the files of each signature, its front end in both forms.

    Raises:
        InputError: This package did not write a file, or the runtime cannot run it.
    """
    results: list[Latency] = []
    front_ends: dict[str, Latency] = {}
    for path, card in [(path, read_card(path)) for path in paths]:
        key = json.dumps(card.signature.to_json())
        if key not in front_ends:
            front_ends[key] = measure_front_end(card.signature, threads, repeats, runtime)
            results.append(front_ends[key])
            in_numpy = measure_numpy_features(card.signature, threads, repeats)
            results += [in_numpy] if in_numpy else []
        measured = measure(path, card.takes, threads, repeats, runtime)
        front_end = front_ends[key].times[0].processor
        results.append(Latency(**{**vars(measured), "front_end": front_end}))
    return results


def _time(threads: int, clock: Sequence[float], processor: Sequence[float]) -> Time:
    percentile = float(np.percentile(clock, 95))
    return Time(threads, float(np.median(clock)), percentile, float(np.mean(processor)))


def as_text(results: Sequence[Latency]) -> str:
    """Formats a table; `front end` is the front end's processor time over the file's."""
    counts = [time.threads for time in results[0].times]
    widths = f"{'median':>9}{'95 %':>8}{'processor':>10}" * len(counts)
    lines = [
        f"{'milliseconds of one call':<34}{'':>9}"
        + "".join(f"{f'{count} thread' + 's' * (count > 1):>27}" for count in counts),
        f"{'file':<34}{'bytes':>9}{widths}{'memory MB':>11}{'front end':>11}",
    ]
    for one in results:
        times = "".join(
            f"{time.median:9.2f}{time.percentile_95:8.2f}{time.processor:10.2f}"
            for time in one.times
        )
        memory = "" if one.peak_memory_bytes is None else f"{one.peak_memory_bytes / 1e6:.1f}"
        ratio = "" if one.front_end is None else f"{one.front_end / one.times[0].processor:.1f} x"
        size = f"{one.bytes:,}" if one.bytes else ""
        lines.append(f"{one.file:<34}{size:>9}{times}{memory:>11}{ratio:>11}")
    return "\n".join(lines)
