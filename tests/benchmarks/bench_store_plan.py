"""Cost of a store of AudioSet's size without decoding: index, memory, opening, reading.

    python -m tests.benchmarks.bench_store_plan [--clips=2000000] [--seconds=10]

Names are generated and rows are holes in a file, so that it needs no audio and little disk: reading
shows what the store costs, not what a disk does. Each part prints seconds, and the memory of the
process after it.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from dcase_system.audio.store.index import INDEX_FILE, lines_of, stat_all
from dcase_system.audio.store.rows import WantedRows
from dcase_system.audio.store.store_format import StoreFormat
from dcase_system.audio.store.waveforms import StoredRows, Waveforms
from dcase_system.core import cli
from dcase_system.core.files import fingerprint
from dcase_system.edge.timing import memory_bytes
from tests.benchmarks.clips import write_clips

STATTED = 100_000
BATCH, BATCHES = 64, 50


def timed(what: str, part: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    found = part()
    seconds, held = time.perf_counter() - started, memory_bytes("RssAnon") / 1e6
    print(f"{what}: {seconds:.2f} s, {held:,.0f} MB held", flush=True)
    return found


def main(_: Sequence[str]) -> None:
    clips, seconds = flags.FLAGS.clips, flags.FLAGS.seconds
    store_format = StoreFormat(32_000, round(32_000 * seconds), False, 1, False)
    with tempfile.TemporaryDirectory(dir=flags.FLAGS.scratch_dir) as name:
        folder = Path(name)
        (folder / "audio").mkdir()
        names = write_clips(folder / "audio", STATTED)
        timed(f"stat of {STATTED:,} files", lambda: stat_all(folder / "audio", names))
        # As AudioSet's: a folder, an identifier of 11 characters, a size, a time.
        files = {
            f"audio/unbalanced_train/Y{at:011x}.wav": f"882044\t17000000000{at:08}"
            for at in range(clips)
        }
        lines = timed("lines", lambda: lines_of(files))
        store = folder / "store"
        store.mkdir()
        timed("index", lambda: WantedRows(store, lines, store_format.row_bytes).close())
        rows = timed("index again", lambda: WantedRows(store, lines, store_format.row_bytes))
        with rows.path.open("wb") as stream:
            stream.truncate(clips * store_format.row_bytes)
        assert len(timed("which are left", lambda: rows.left(np.arange(clips)))) == clips
        rows.close()
        key = timed("key", lambda: fingerprint({"form": asdict(store_format), "files": files}))
        waveforms = Waveforms(StoredRows(rows.path, store_format.shape), rows.numbers, key)
        print(f"{(store / INDEX_FILE).stat().st_size:,} bytes of index")
        draws = np.random.default_rng(0).integers(0, clips, (BATCHES, BATCH))
        timed(
            f"{BATCHES} batches of {BATCH} clips at random",
            lambda: [waveforms.gather(positions) for positions in draws] and None,
        )


if __name__ == "__main__":
    flags.DEFINE_integer("clips", 2_000_000, "CLIPS: In the store.", lower_bound=1_000)
    flags.DEFINE_float("seconds", 10.0, "SECONDS: Length of a clip.", lower_bound=0.1)
    flags.DEFINE_string("scratch_dir", None, "FOLDER: For plans. [the system's]")
    cli.run(main)
