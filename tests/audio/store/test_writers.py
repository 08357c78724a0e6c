"""Several processes at one store: together, killed at random moments, in each other's way."""

import multiprocessing
import os
import signal
import time

import numpy as np
import pytest

from dcase_system.audio.store import write, writers
from dcase_system.audio.store.locks import claimed
from dcase_system.audio.store.shards import Shard
from dcase_system.errors import InputError
from tests.audio.store.clips import contents, corpus, names, stored, stored_values, write_corpus

__all__ = ["corpus"]
SPAWNED = multiprocessing.get_context("spawn")
FORKED = multiprocessing.get_context("fork")
CLIPS = 40


def ingest_all(folder, name="store", processes=1, slow_seconds=0.0):
    """What one of several processes does; slow enough to be killed in the middle."""
    original = write.decode_clip

    def slowly(path, form):
        time.sleep(slow_seconds)
        return original(path, form)

    write.decode_clip = slowly
    stored(folder / name, folder / "corpus", names(*range(CLIPS)), writers=processes)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A corpus, and the store that one process makes of it in one go."""
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


def test_what_fits_into_one_shard_needs_no_processes(tmp_path, corpus, monkeypatch):
    monkeypatch.setattr(writers.multiprocessing, "get_context", None)
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
    assert kills >= 8
    assert contents(place / name) == contents(place / "whole")
    assert not list((place / name).glob(".partial*"))


def test_writer_processes_end_with_the_process_that_started_them(place):
    process = SPAWNED.Process(target=_with_slow_writers, args=(place, "orphans"))
    process.start()
    shards = place / "orphans"
    while not list(shards.glob("*.int16")):
        assert process.is_alive()
        time.sleep(0.02)
    process.kill()
    process.join()
    time.sleep(1)
    done = len(list(shards.glob("*.int16")))
    time.sleep(1)
    assert len(list(shards.glob("*.int16"))) == done
    stored(shards, place / "corpus", names(*range(CLIPS)), writers=2)
    assert contents(shards) == contents(place / "whole")


def _with_slow_writers(folder, name):
    writers._work = _slow_work
    ingest_all(folder, name, processes=2)


def _slow_work(*arguments):
    original = write.decode_clip
    write.decode_clip = lambda *given: time.sleep(0.05) or original(*given)
    _ORIGINAL_WORK(*arguments)


_ORIGINAL_WORK = writers._work


def test_faults_that_writer_processes_find_are_counted(place, tmp_path):
    root = write_corpus(tmp_path / "corpus", 6)
    for name in names(1, 4):
        (root / name).write_bytes(b"")
    with pytest.raises(InputError, match=r"\d\.wav: audio file is empty.* \(1 more clips are"):
        stored(tmp_path / "store", root, names(*range(6)), writers=2)


def test_a_writer_process_that_is_ended_from_outside_is_told_in_one_line(place, monkeypatch):
    monkeypatch.setattr(writers, "_work", _ends_itself)
    with pytest.raises(InputError, match=r"a writer process was ended; .*received exit status -9"):
        stored(place / "ended", place / "corpus", names(*range(CLIPS)), writers=2)


def _ends_itself(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_an_error_of_the_disk_in_a_writer_process_is_raised_here(place, monkeypatch):
    monkeypatch.setattr(writers, "_work", _finds_the_disk_full)
    with pytest.raises(OSError, match="No space left on device: 'x'"):
        stored(place / "full", place / "corpus", names(*range(CLIPS)), writers=2)


def _finds_the_disk_full(_writer, _shards, sender):
    sender.send(OSError(28, "No space left on device", "x"))


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


def test_a_shard_that_another_process_writes_is_waited_for(place):
    store, wanted = place / "waited", names(0, 1, 2, 3)
    stored(store, place / "corpus", wanted)
    rows = (store / "000001.int16").read_bytes()
    (store / "000001.int16").unlink()
    process = FORKED.Process(target=_write_later, args=(store, rows))
    process.start()
    while not (store / "begun").exists():
        time.sleep(0.01)
    assert stored_values(stored(store, place / "corpus", wanted)) == [0, 1, 2, 3]
    assert (store / "ended").exists()
    process.join()


def _write_later(store, rows):
    with claimed(Shard(store, 1).plan):
        (store / "begun").touch()
        time.sleep(0.5)
        (store / "000001.int16").write_bytes(rows)
        (store / "ended").touch()


def test_a_store_in_use_is_not_emptied_for_another_format(place):
    process = FORKED.Process(target=ingest_all, args=(place, "in_use", 1, 0.02))
    process.start()
    while not list((place / "in_use").glob("*.int16")):
        time.sleep(0.01)
    stored(place / "in_use", place / "corpus", names(0), exact=False)
    process.join()
    assert process.exitcode == 0  # had its rows, before they went
    assert len(list((place / "in_use").glob("*.tsv"))) == 1
