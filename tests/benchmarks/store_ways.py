"""Process for one step of `bench_store`: `store_ways.py STEP WAY STORE AUDIO CLIPS`.

`WAY` is `store`, what `dcase_system` on the path has, of whatever version, or `array_record`:
ArrayRecord files of at most 128 MiB that are written whole, which needs the package of this name.
Prints a JSON object.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from dcase_system.audio.store import ingest, store_format
from dcase_system.edge.timing import memory_bytes

RATE = 32_000
A_FILE = 128 * 2**20 // (2 * RATE)
BATCH, BATCHES = 64, 400
Gather = Callable[[np.ndarray], np.ndarray]


def names_in(audio: Path, clips: int) -> list[str]:
    return sorted(path.name for path in audio.iterdir())[:clips]


def counted(store: Path) -> None:
    """Writes a byte beside the store for each decoded clip, so that kills are counted."""
    handle = os.open(f"{store}.decoded", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    original = store_format.read_audio

    def read(path: Path) -> object:
        os.write(handle, b".")
        return original(path)

    store_format.read_audio = read


def by_store(store: Path, audio: Path, names: list[str]) -> Gather:
    return ingest(store, audio, names).gather


def by_array_record(store: Path, audio: Path, names: list[str]) -> Gather:
    from array_record.python import array_record_data_source, array_record_module

    store.mkdir(exist_ok=True)
    wanted = store_format.StoreFormat(RATE, RATE, True, 1, False, RATE)
    files = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for at in range(0, len(names), A_FILE):
            files.append(store / f"{at // A_FILE:06}.array_record")
            if files[-1].exists():
                continue
            partial = files[-1].with_suffix(f".{os.getpid()}")
            writer = array_record_module.ArrayRecordWriter(
                str(partial), "group_size:1,uncompressed"
            )
            paths = [audio / name for name in names[at : at + A_FILE]]
            for row in pool.map(lambda path: store_format.decode_clip(path, wanted), paths):
                writer.write(row.tobytes())
            writer.close()
            with partial.open("rb+") as stream:
                os.fsync(stream.fileno())
            partial.rename(files[-1])
    source = array_record_data_source.ArrayRecordDataSource([str(file) for file in files])

    def gather(positions: np.ndarray) -> np.ndarray:
        rows = source.__getitems__(positions.tolist())
        found = np.empty((len(rows), RATE), np.float32)
        for position, row in enumerate(rows):
            found[position] = np.frombuffer(row, np.int16)
        found /= np.float32(2**15)
        return found

    return gather


WAYS = {"store": by_store, "array_record": by_array_record}


def filled(way: str, store: Path, audio: Path, clips: int) -> dict:
    counted(store)
    names = names_in(audio, clips)
    started, before = time.perf_counter(), time.process_time()
    WAYS[way](store, audio, names)
    processor = time.process_time() - before
    return {"seconds": time.perf_counter() - started, "processor": processor}


def read(way: str, store: Path, audio: Path, clips: int) -> dict:
    names = names_in(audio, clips)
    started = time.perf_counter()
    gather = WAYS[way](store, audio, names)
    opened = time.perf_counter() - started
    order = np.random.default_rng(0).integers(0, clips, (BATCHES, BATCH))
    started, before = time.perf_counter(), time.process_time()
    for positions in order:
        gather(positions)
    seconds, processor = time.perf_counter() - started, time.process_time() - before
    return {
        "opening": opened,
        "clips/s": BATCHES * BATCH / seconds,
        "processor us": 1e6 * processor / (BATCHES * BATCH),
        "most MB": memory_bytes("VmHWM") / 1e6,
    }


def read_cold(way: str, store: Path, audio: Path, clips: int) -> dict:
    """Reads after the system dropped the files from its cache; it may read ahead."""
    for path in store.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return read(way, store, audio, clips)


def digest(way: str, store: Path, audio: Path, clips: int) -> dict:
    gather, found = WAYS[way](store, audio, names_in(audio, clips)), hashlib.sha256()
    for at in range(0, clips, BATCH):
        found.update(gather(np.arange(at, min(at + BATCH, clips))).tobytes())
    return {"digest": found.hexdigest()}


if __name__ == "__main__":
    step, way, store, audio, clips = sys.argv[1:]
    steps = {"fill": filled, "read": read, "read_cold": read_cold, "digest": digest}
    print(json.dumps(steps[step](way, Path(store), Path(audio), int(clips))))
