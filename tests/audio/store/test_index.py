"""The index of a store: which rows it keeps, and which process decodes each."""

import multiprocessing

import numpy as np

from dcase_system.audio.store.rows import WantedRows
from tests.audio.store.clips import (
    ROW_BYTES,
    corpus,
    count_decodes,
    names,
    names_in,
    rows_done,
    stored,
    stored_values,
    write_clip,
)

__all__ = ["corpus"]
LINES = [b"a\t1\t2", b"b\t1\t2", b"c\t1\t2"]


def index_only(store, root, clips):
    """A store whose process was killed before it decoded a clip."""
    stored(store, root, clips)
    (store / "waveforms.int16").unlink()
    (store / "done.u4").unlink()


def test_rows_that_were_left_are_filled(tmp_path, corpus):
    store = tmp_path / "store"
    index_only(store, corpus, names(0, 1, 2, 3))
    assert stored_values(stored(store, corpus, names(3, 2, 1, 0, 5))) == [3, 2, 1, 0, 5]
    assert names_in(store) == names(0, 1, 2, 3, 5)


def test_a_clip_that_has_changed_gets_a_row_of_its_own(tmp_path, corpus):
    store = tmp_path / "store"
    index_only(store, corpus, names(0, 1, 2, 3))
    write_clip(corpus / "1.wav", 0.9)
    assert stored_values(stored(store, corpus, names(0, 1, 2, 3))) == [0, 90, 2, 3]
    assert rows_done(store) == [0, 2, 3, 4]


def test_clips_that_nobody_asks_for_any_more_are_not_decoded(tmp_path, corpus, monkeypatch):
    store = tmp_path / "store"
    index_only(store, corpus, names(0, 1, 2, 3))
    (corpus / "1.wav").unlink()
    decoded = count_decodes(monkeypatch)
    assert stored_values(stored(store, corpus, names(2, 0))) == [2, 0]
    assert sorted(decoded) == names(0, 2)


def test_rows_are_claimed_by_one_process(tmp_path):
    rows = WantedRows(tmp_path, LINES, ROW_BYTES)
    one, other, all_clips = np.array([0, 1]), np.array([2]), np.arange(3)
    assert rows.claim(one)
    assert in_another_process(tmp_path, one, other, all_clips) == [False, True, False]
    rows.release(one)
    assert in_another_process(tmp_path, all_clips) == [True]
    rows.close()


def in_another_process(store, *groups):
    """Returns whether another process can claim each group of clips, in turn."""
    forked = multiprocessing.get_context("fork")
    receive, send = forked.Pipe(duplex=False)

    def claim():
        rows = WantedRows(store, LINES, ROW_BYTES)
        for clips in groups:
            send.send(rows.claim(clips))
            rows.release(clips)

    process = forked.Process(target=claim)
    process.start()
    process.join()
    assert process.exitcode == 0
    return [receive.recv() for _ in groups]


def test_a_row_is_done_once_its_mark_is_there(tmp_path):
    rows = WantedRows(tmp_path, LINES, 4)
    rows.write({2: np.array([1, 2], np.int16)})
    assert rows.left(np.array([2, 1, 0])).tolist() == [0, 1]
    assert (tmp_path / "waveforms.int16").read_bytes() == bytes(8) + b"\1\0\2\0"
    rows.close()
    again = WantedRows(tmp_path, LINES[::-1], 4)
    assert again.left(np.arange(3)).tolist() == [2, 1]  # in the order of their rows
    again.close()
