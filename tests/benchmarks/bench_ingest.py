"""Decoding: 44.1 kHz, 24-bit WAV to the 32 kHz store, each round into a new one."""

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from dcase_system.audio.store import ingest
from dcase_system.core.processors import usable_cores
from tests.benchmarks.clips import SAMPLE_RATE, labels, write_clips
from tests.benchmarks.harness import Contender, Row, alternate, compared

CLIPS = 1_024


def rows(rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "audio")
        root.mkdir()
        names = write_clips(root, CLIPS)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(usable_cores(), context) as pool:
            contenders: dict[str, Contender] = {
                "store": partial(_into_store, root, names),
                "soundfile + soxr, a process a core": partial(_by_processes, pool, root, names),
                "what PyTorch's baseline does every epoch": _every_epoch(root, names),
            }
            seconds = alternate(contenders, rounds)
    return compared("ingest", seconds, CLIPS)


def _into_store(root: Path, names: list[str]) -> None:
    with tempfile.TemporaryDirectory(dir=root.parent) as store:
        ingest(store, root, names)


def _by_processes(pool: ProcessPoolExecutor, root: Path, names: list[str]) -> None:
    paths = [root / name for name in names]
    with tempfile.NamedTemporaryFile(dir=root.parent) as file:
        for row in pool.map(_resampled, paths, chunksize=32):
            file.write(row.tobytes())
        file.flush()
        os.fsync(file.fileno())


def _resampled(path: Path) -> np.ndarray:
    import soxr

    samples, rate = soundfile.read(path, dtype="float32")
    return np.rint(soxr.resample(samples, rate, SAMPLE_RATE) * 32_767).astype(np.int16)


def _every_epoch(root: Path, names: list[str]) -> Callable[[], None]:
    import torch

    from tests.benchmarks import torch_training

    files = torch_training.Files(root, names, labels(len(names)))
    batches = torch_training.loader(files, 256, usable_cores())
    resample = torch_training.Resample()

    def run() -> None:
        with torch.inference_mode():
            for waveforms, _ in batches:
                resample(waveforms)

    return run
