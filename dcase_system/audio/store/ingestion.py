"""Ingests missing clips into a store."""

import fcntl
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from dcase_system.audio.decode import read_audio
from dcase_system.audio.store.decoding import Decoded, Decoder, decoders, start
from dcase_system.audio.store.index import INDEX_FILE, clip_of, lines_of, stat_all
from dcase_system.audio.store.rows import MARKS_FILE, ROWS_FILE, WantedRows
from dcase_system.audio.store.store_format import (
    FORMAT_FILE,
    StoreFormat,
    read_format,
    write_format,
)
from dcase_system.audio.store.waveforms import StoredRows, Waveforms
from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint, locked
from dcase_system.core.locations import Location, as_location

BLOCK_BYTES = 16 * 2**20
"""Size of the blocks that are written while the next one is decoded; a kill loses up to two."""

_LOG = logging.getLogger(__name__)
_MOST_LOGGED = 20  # of the faulty clips
_WAIT_SECONDS = 0.1


def ingest(
    store: str | Path,
    root: str | Location,
    filenames: Sequence[str],
    *,
    sample_rate: int = 32_000,
    clip_seconds: float = 1.0,
    exact: bool = True,
    channels: int = 1,
    copy_mono: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
    writers: int = 1,
    block_bytes: int = BLOCK_BYTES,
) -> Waveforms:
    """Ingests missing clips into the store and opens it.

    Other processes, also on other machines that share the disk, may do the same at the same time:
    each decodes clips that no other is decoding.

    Args:
        store: Folder of the store, created if missing.
        root: Folder or URL of the corpus.
        filenames: Clips below `root`.
        sample_rate: Sample rate of the stored waveforms in Hz.
        clip_seconds: Length of every clip in seconds.
        exact: Whether clips must have `channels` channels and equal length and rate. If not,
            channels are averaged, and clips are cut or padded with silence at the end (as PANNs
            does).
        channels: Number of channels of the stored waveforms.
        copy_mono: Whether a mono clip is copied to all channels.
        on_progress: Called with the clips decoded so far and the clips to decode.
        writers: Number of decoding processes; with 1, or if all rows fit into one block, this
            process decodes.
        block_bytes: Bytes of rows that are written at a time.

    Raises:
        InputError: A clip is missing, unreadable or empty, has NaN samples, has another number of
            channels, or another length or sample rate than the store's first clip (if exact) or
            is shorter than a frame of 32 ms (if not); or the disk is too small. Each faulty clip
            is logged; the error names the first.
        OSError: The store cannot be written.
    """
    store, root = Path(store), as_location(root)
    store.mkdir(parents=True, exist_ok=True)
    store_format = StoreFormat(
        sample_rate, round(sample_rate * clip_seconds), exact, channels, copy_mono
    )
    files = stat_all(root, filenames)
    lines = lines_of(files)
    with _in_format(store, store_format):
        with locked(store / "lock", lambda: _LOG.info("waiting for the index of %s", store)):
            store_format = _with_source_rate(store, root, lines)
            stored = WantedRows(store, lines, store_format.row_bytes)
        with closing(stored):
            left = stored.left(np.arange(len(lines)))
            if len(left):
                _LOG.info("decoding %d of %d clips into %s", len(left), len(files), store)
                _check_space(store, len(left) * store_format.row_bytes)
                block = max(1, block_bytes // store_format.row_bytes)
                with decoders(1 if len(left) <= block else writers) as pool:
                    filling = _Filling(stored, Decoder(root, store_format), pool, block)
                    filling.fill(left, on_progress or (lambda done, clips: None))
                _refuse(list(filling.faults.values()))
        row_of = dict(zip(files, stored.numbers.tolist(), strict=True))
        wanted = np.array([row_of[name] for name in filenames], np.int64)
        key = fingerprint({"form": asdict(store_format), "files": files})
        return Waveforms(StoredRows(stored.path, store_format.shape), wanted, key)


@contextmanager
def _in_format(store: Path, wanted: StoreFormat) -> Iterator[None]:
    """Keeps the store in this format within the context; first empties one of another format.

    A process that uses a store holds a shared lock, released with the process; one that empties
    it holds the lock exclusively. Readers keep the files they have opened. filelock has no shared
    lock.
    """
    with (store / "at_work").open("a+") as lock:
        while True:
            fcntl.flock(lock, fcntl.LOCK_SH)
            if _fits(store, wanted):
                break
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                _LOG.info("another process is writing %s in another format: waiting for it", store)
                fcntl.flock(lock, fcntl.LOCK_EX)
            if not _fits(store, wanted):
                _empty(store)
                write_format(store, wanted)
        yield


def _fits(store: Path, wanted: StoreFormat) -> bool:
    store_format = read_format(store)
    return store_format is not None and store_format.fits(wanted)


def _empty(store: Path) -> None:
    if (store / FORMAT_FILE).exists():
        _LOG.info("store %s has another format: rebuilding it", store)
    files = [store / name for name in (MARKS_FILE, INDEX_FILE, ROWS_FILE)]
    for path in (*files, *store.glob("[0-9]" * 6 + "*.*")):  # shards of an older layout
        path.unlink(missing_ok=True)


def _with_source_rate(store: Path, root: Location, lines: Sequence[bytes]) -> StoreFormat:
    """Returns the format of the store; the first clip ever decoded sets the corpus's rate."""
    store_format = read_format(store)
    assert store_format is not None
    if lines and store_format.exact and store_format.source_rate is None:
        store_format = replace(store_format, source_rate=read_audio(root / clip_of(lines[0])[0])[1])
        write_format(store, store_format)
    return store_format


@dataclass
class _Filling:
    """Fills wanted rows until all are done or faulty.

    Attributes:
        stored: Wanted rows.
        decoder: Decodes a row.
        pool: Threads or processes that decode.
        block: Number of rows that are written at a time.
        faults: Errors found so far, by clip.
    """

    stored: WantedRows
    decoder: Decoder
    pool: Executor
    block: int
    faults: dict[int, InputError] = field(default_factory=dict)

    def fill(self, left: np.ndarray, on_progress: Callable[[int, int], None]) -> None:
        """Decodes these clips; waits for those that other processes are decoding."""
        clips, waiting = len(left), False
        while before := len(left):
            done = clips - before
            for more in self._decoded(left):
                done += more
                on_progress(done, clips)
            left = self._left(left)
            if len(left) == before:
                if not waiting:
                    _LOG.info("another process is decoding %d clips: waiting for it", before)
                waiting = True
                time.sleep(_WAIT_SECONDS)
        on_progress(clips, clips)

    def _left(self, clips: np.ndarray) -> np.ndarray:
        left = self.stored.left(clips)
        return left[~np.isin(left, list(self.faults))]

    def _decoded(self, left: np.ndarray) -> Iterator[int]:
        """Goes through clips once, skipping claimed ones; yields numbers of clips done."""
        begun = []
        for at in range(0, len(left), self.block):
            claimed = left[at : at + self.block]
            if self.stored.claim(claimed):
                clips = self._left(claimed)
                lines = [self.stored.lines[clip] for clip in clips]
                begun.append((claimed, clips, start(self.pool, self.decoder, lines)))
            if len(begun) > 1:  # one is decoded while the other is written
                yield self._written(*begun.pop(0))
        for last in begun:
            yield self._written(*last)

    def _written(self, claimed: np.ndarray, clips: np.ndarray, rows: Iterator[Decoded]) -> int:
        try:
            decoded = dict(zip(clips.tolist(), rows, strict=True))
        except BrokenProcessPool as error:
            raise InputError(
                "a writer process died (out of memory?)",
                where=self.stored.path.parent,
                expected="all writers to finish; run the same command again to resume",
                received=error,
            ) from error
        self.faults |= {at: row for at, row in decoded.items() if isinstance(row, InputError)}
        self.stored.write({at: row for at, row in decoded.items() if isinstance(row, np.ndarray)})
        self.stored.release(claimed)
        return len(claimed)


def _refuse(faults: Sequence[InputError]) -> None:
    for fault in faults[:_MOST_LOGGED]:
        _LOG.error("%s", fault)
    if faults:
        others = f" ({len(faults) - 1} more clips are faulty)" if len(faults) > 1 else ""
        raise InputError(f"{faults[0]}{others}", where="ingest")


def _check_space(store: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(store).free
    if free_bytes < needed_bytes:
        raise InputError(
            "disk is too full for the waveform store",
            where=store,
            expected=f"{needed_bytes:,} bytes free",
            received=f"{free_bytes:,}",
        )
