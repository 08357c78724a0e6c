"""Bringing clips into a store, where they are not in it yet."""

import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from dcase_system.audio.decode import read_audio
from dcase_system.audio.store.form import Form, read_form, write_form
from dcase_system.audio.store.locks import Presence
from dcase_system.audio.store.plan import Rows, find_rows, plan_shards, stat_all
from dcase_system.audio.store.shards import SHARD_BYTES, Shard, shards_of
from dcase_system.audio.store.waveforms import RowsFile, ShardedRows, Waveforms
from dcase_system.audio.store.write import Fault, Writer
from dcase_system.audio.store.writers import write_by_processes
from dcase_system.errors import InputError
from dcase_system.files import fingerprint, locked
from dcase_system.places import Place, place
from dcase_system.processors import usable_cores

_LOG = logging.getLogger(__name__)
_MOST_LOGGED = 20  # of the faulty clips
_OLD_FILES = ("waveforms.int16", "index.tsv")  # of a store before it had shards


def ingest(
    store: str | Path,
    root: str | Place,
    filenames: Sequence[str],
    *,
    sample_rate: int = 32_000,
    clip_seconds: float = 1.0,
    exact: bool = True,
    channels: int = 1,
    copy_mono: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
    writers: int = 1,
    shard_bytes: int = SHARD_BYTES,
) -> Waveforms:
    """Brings clips into the store, where they are not in it yet, and opens it.

    Other processes, also on other machines that share the disk, may do the same at the same time:
    each writes shards that no other is writing.

    Args:
        store: folder of the store; made if absent.
        root: folder or URL of the corpus.
        filenames: clips below `root`.
        sample_rate: rate of the stored waveforms in Hz.
        clip_seconds: length that every clip must have.
        exact: whether clips must have `channels` channels and be of equal length and rate. If not,
            channels are averaged, and clips cut at their end or followed by silence (as PANNs does
            it).
        channels: of the stored waveforms.
        copy_mono: whether the one channel of a mono clip stands for all of them.
        on_progress: called with the clips decoded so far and the clips to decode.
        writers: processes that write; with 1, or where all fits into one shard, this one does.
        shard_bytes: most that the rows of a new shard may take.

    Raises:
        InputError: a clip is missing, unreadable or empty, has NaN samples, has another number of
            channels, or is of another length or sample rate than the store's first clip (where
            exact) or shorter than a frame of 32 ms (where not); or the disk is too small.
            Each faulty clip is logged; the error names the first.
        OSError: the store cannot be written.
    """
    store, root = Path(store), place(root)
    store.mkdir(parents=True, exist_ok=True)
    wanted_form = Form(sample_rate, round(sample_rate * clip_seconds), exact, channels, copy_mono)
    with Presence(store) as presence:
        while True:
            files = stat_all(root, filenames)
            lines = [f"{name}\t{status}" for name, status in files.items()]
            form, shards = _planned(store, root, presence, wanted_form, lines, shard_bytes)
            position = {line: at for at, line in enumerate(lines)}
            if shards:
                clips = sum(shards.values())
                _LOG.info("decoding %d of %d clips into %s", clips, len(files), store)
                _check_space(store, clips * form.row_bytes)
                writer = Writer(root, form, usable_cores())
                faults = _written(writer, tuple(shards), writers, _counted(on_progress, clips))
                _refuse([fault for fault in faults if fault.line in position])
            rows = find_rows(store, form, position)
            if rows.complete:
                break
        of_name = {name: at for at, name in enumerate(files)}
        wanted = np.array([of_name[name] for name in filenames], np.int64)
        key = fingerprint({"form": asdict(form), "files": files})
        return _opened(rows, wanted, form, key)


def _planned(
    store: Path,
    root: Place,
    presence: Presence,
    wanted_form: Form,
    lines: Sequence[str],
    shard_bytes: int,
) -> tuple[Form, dict[Shard, int]]:
    """The form of the store, and the shards to be written for these lines."""
    while True:
        with locked(
            store / "lock", lambda: _LOG.info("another process plans %s: waiting for it", store)
        ):
            form, alone = read_form(store), presence.alone()
            if form is None or not form.fits(wanted_form):
                form = _emptied(store, wanted_form, alone)
            if form is not None:
                # The first clip ever decoded sets the corpus's rate.
                if lines and form.exact and form.source_rate is None:
                    rate = read_audio(root / lines[0].rsplit("\t", 2)[0])[1]
                    form = replace(form, source_rate=rate)
                    write_form(store, form)
                return form, plan_shards(store, form, lines, shard_bytes, alone=alone)
        _LOG.info("another process is writing %s in another format: waiting for it", store)
        presence.wait_for_others()


def _emptied(store: Path, form: Form, alone: bool) -> Form | None:
    """A store of another form is emptied, since none of its rows fit; None while it is in use."""
    if not alone:
        return None
    if (store / "format.json").exists():
        _LOG.info("store %s has another format: rebuilding it", store)
    for shard in shards_of(store):
        shard.remove()
    for name in _OLD_FILES:
        (store / name).unlink(missing_ok=True)
    write_form(store, form)
    return form


def _written(
    writer: Writer, shards: Sequence[Shard], writers: int, on_clips: Callable[[int], None]
) -> list[Fault]:
    """Writes shards, by processes where that pays; then waits for those that others write."""
    processes = min(writers, len(shards))
    if processes > 1:
        faults = write_by_processes(writer, shards, processes, on_clips)
    else:
        faults = writer.write(shards, on_clips, wait=False)
    left = [shard for shard in shards if shard.plan.exists() and not shard.rows.exists()]
    if left:
        _LOG.info("another process is writing %d shards: waiting for it", len(left))
    return faults + writer.write(left, on_clips, wait=True)


def _counted(on_progress: Callable[[int, int], None] | None, clips: int) -> Callable[[int], None]:
    done = 0

    def on_clips(more: int) -> None:
        nonlocal done
        done = min(done + more, clips)
        if on_progress:
            on_progress(done, clips)

    return on_clips


def _refuse(faults: Sequence[Fault]) -> None:
    for fault in faults[:_MOST_LOGGED]:
        _LOG.error("%s", fault.message)
    if faults:
        others = f" ({len(faults) - 1} more clips are faulty)" if len(faults) > 1 else ""
        raise InputError(f"{faults[0].message}{others}", where="ingest")


def _opened(rows: Rows, wanted: np.ndarray, form: Form, key: str) -> Waveforms:
    files = [
        RowsFile(shard.rows, clips, shard.rows.stat().st_mtime_ns)
        for shard, clips in zip(rows.shards, rows.clips, strict=True)
    ]
    first = np.cumsum([0, *rows.clips])[:-1]
    places = (first[rows.shard] + rows.row)[wanted]
    return Waveforms(ShardedRows(files, form.shape), places, key)


def _check_space(store: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(store).free
    if free_bytes < needed_bytes:
        raise InputError(
            "disk is too full for the waveform store",
            where=store,
            expected=f"{needed_bytes:,} bytes free",
            received=f"{free_bytes:,}",
        )
