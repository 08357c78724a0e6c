"""Several processes that write one store: at once, killed at random, in conflict."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from dcase_system.audio.store import decoding, ingestion, rows
from dcase_system.core.errors import InputError
from tests.audio.store.clips import (
    RATE,
    ROW_BYTES,
    contents,
    corpus,
    names,
    rows_done,
    stored,
    stored_values,
    write_corpus,
)

__all__ = ["corpus"]
SPAWNED = multiprocessing.get_context("spawn")
FORKED = multiprocessing.get_context("fork")
CLIPS = 40


def ingest_all(folder, name="store", processes=1, slow_seconds=0.0):
    """Ingests as one of several processes, slowly enough to be killed half-way."""
    original = decoding.decode_clip

    def slowly(path, store_format):
        time.sleep(slow_seconds)
        (folder / f"{name}.decoded").open("ab").write(b".")
        return original(path, store_format)

    decoding.decode_clip = slowly
    stored(folder / name, folder / "corpus", names(*range(CLIPS)), writers=processes)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A corpus, and its store written by a single process."""
    folder = tmp_path_factory.mktemp("writers")
    write_corpus(folder / "corpus", CLIPS)
    stored(folder / "whole", folder / "corpus", names(*range(CLIPS)))
    return folder


def test_writer_processes_make_the_same_bytes(place):
    seen = []
    stored(
        place / "processes",
        place / "corpus",
        names(*range(CLIPS)),
        writers=2,
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert contents(place / "processes") == contents(place / "whole")
    assert seen == sorted(seen) and seen[-1] == (CLIPS, CLIPS)


def test_what_fits_into_one_block_needs_no_processes(tmp_path, corpus, monkeypatch):
    monkeypatch.setattr(decoding.multiprocessing, "get_context", None)
    assert stored_values(stored(tmp_path / "store", corpus, names(0, 1), writers=8)) == [0, 1]


def test_processes_that_start_together_make_the_same_bytes(place):
    started = [
        FORKED.Process(target=ingest_all, args=(place, "together", 1, 0.002)) for _ in range(3)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [0, 0, 0]
    assert contents(place / "together") == contents(place / "whole")
    assert (place / "together.decoded").stat().st_size == CLIPS  # none twice


@pytest.mark.parametrize("seed", range(3))
def test_processes_killed_at_random_moments_leave_what_the_next_ones_need(place, seed):
    generator, kills, name = np.random.default_rng(seed), 0, f"killed-{seed}"
    while kills < 8:
        started = [FORKED.Process(target=ingest_all, args=(place, name, 1, 0.05)) for _ in range(2)]
        for process in started:
            process.start()
        for process in started:
            process.join(generator.uniform(0, 0.15))
            process.kill()
            process.join()
            kills += process.exitcode == -signal.SIGKILL
        if all(process.exitcode == 0 for process in started):
            break
    ingest_all(place, name)
    assert kills >= 4  # a process that is slow to start ends before it is killed
    assert contents(place / name) == contents(place / "whole")
    assert not list((place / name).glob(".partial*"))


def test_writer_processes_end_with_the_process_that_started_them(place):
    process = SPAWNED.Process(target=_with_slow_writers, args=(place, "orphans"))
    process.start()
    store = place / "orphans"
    while not list(place.glob("writer-*")) or not rows_done(store):
        assert process.is_alive()
        time.sleep(0.02)
    process.kill()
    process.join()
    time.sleep(1)
    writers = [int(path.suffix[1:]) for path in place.glob("writer-*")]
    assert writers
    assert not any(_is_running(writer) for writer in writers)
    stored(store, place / "corpus", names(*range(CLIPS)), writers=2)
    assert contents(store) == contents(place / "whole")


def _with_slow_writers(folder, name):
    ingestion.Decoder = _SlowDecoder
    stored(folder / name, folder / "corpus", names(*range(CLIPS)), writers=2)


class _SlowDecoder(decoding.Decoder):
    def __call__(self, line):
        (self.root.parent / f"writer-.{os.getpid()}").touch()
        time.sleep(0.05)
        return super().__call__(line)


def _is_running(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2]
    except FileNotFoundError:
        return False
    return state[0] != "Z"  # as one is that nobody has asked for its status


def test_faults_that_writer_processes_find_are_counted(place, tmp_path):
    root = write_corpus(tmp_path / "corpus", 6)
    for name in names(1, 4):
        (root / name).write_bytes(b"")
    with pytest.raises(InputError, match=r"\d\.wav: audio file is empty.* \(1 more clips are"):
        stored(tmp_path / "store", root, names(*range(6)), writers=2)


def test_a_writer_process_that_is_ended_from_outside_is_told_in_one_line(place, monkeypatch):
    monkeypatch.setattr(ingestion, "Decoder", _EndsItself)
    with pytest.raises(InputError, match=r"ended: a writer process died \(out of memory\?\); exp"):
        stored(place / "ended", place / "corpus", names(*range(CLIPS)), writers=2)


class _EndsItself(decoding.Decoder):
    def __call__(self, line):
        os.kill(os.getpid(), signal.SIGKILL)


def test_an_error_of_the_disk_names_the_file_and_leaves_no_row_half_done(place, monkeypatch):
    original, left = os.pwrite, [20 * 16_000 + 9_000]

    def full_at_last(handle, content, at):
        if not left[0]:
            raise OSError(28, "No space left on device")
        written = original(handle, content[: left[0]], at)
        left[0] -= written
        return written

    monkeypatch.setattr(rows.os, "pwrite", full_at_last)
    with pytest.raises(OSError, match=r"No space left on device: '.*waveforms\.int16'"):
        stored(place / "full", place / "corpus", names(*range(CLIPS)))
    monkeypatch.undo()
    assert rows_done(place / "full") == list(range(20))
    stored(place / "full", place / "corpus", names(*range(CLIPS)))
    assert contents(place / "full") == contents(place / "whole")


def test_an_interrupt_ends_the_writer_processes(place):
    def interrupt(done, total):
        raise KeyboardInterrupt

    before = set(multiprocessing.active_children())
    with pytest.raises(KeyboardInterrupt):
        stored(
            place / "interrupted",
            place / "corpus",
            names(*range(CLIPS)),
            writers=2,
            on_progress=interrupt,
        )
    assert set(multiprocessing.active_children()) == before
    assert not list((place / "interrupted").glob(".partial*"))


def test_clips_that_another_process_decodes_are_waited_for(place, caplog):
    store, wanted = place / "waited", names(0, 1, 2, 3)
    stored(store, place / "corpus", wanted)
    with (store / "done.u4").open("rb+") as marks:
        marks.truncate(8)
    process = FORKED.Process(target=_write_later, args=(store,))
    process.start()
    while not (store / "begun").exists():
        time.sleep(0.01)
    with caplog.at_level("INFO"):
        assert stored_values(stored(store, place / "corpus", wanted)) == [0, 1, 9, 9]
    process.join()
    assert process.exitcode == 0
    assert "another process is decoding 2 clips: waiting for it" in caplog.text


def _write_later(store):
    lines = (store / "index.tsv").read_bytes().splitlines()
    theirs = rows.WantedRows(store, lines, ROW_BYTES)
    assert theirs.claim(np.array([2, 3]))
    (store / "begun").touch()
    time.sleep(0.5)
    row = np.full(RATE, round(0.09 * 2**15), np.int16)
    theirs.write({2: row, 3: row})


def _wait_for_a_row(store):
    while not (store / "done.u4").exists() or not rows_done(store):
        time.sleep(0.01)


def test_a_store_in_use_is_not_emptied_for_another_format(place):
    process = FORKED.Process(target=ingest_all, args=(place, "in_use", 1, 0.02))
    process.start()
    _wait_for_a_row(place / "in_use")
    stored(place / "in_use", place / "corpus", names(0), exact=False)
    process.join()
    assert process.exitcode == 0  # had its rows, before they went
    assert (place / "in_use.decoded").stat().st_size == CLIPS
    assert rows_done(place / "in_use") == [0]
