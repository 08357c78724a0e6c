import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.audio.store import ingest, ingestion
from dcase_system.audio.store.store_format import read_format
from dcase_system.core.errors import InputError
from tests.audio.audio_files import wav_bytes
from tests.audio.store.clips import (
    RATE,
    ROW_BYTES,
    contents,
    corpus,
    count_decodes,
    names,
    names_in,
    rows_done,
    stored,
    stored_values,
    write_clip,
    write_corpus,
)

__all__ = ["corpus"]


def test_clips_come_back_in_the_order_asked_for(tmp_path, corpus):
    waveforms = stored(tmp_path / "store", corpus, names(3, 0, 5, 3))
    assert stored_values(waveforms) == [3, 0, 5, 3]
    assert stored_values(waveforms.take(np.array([2, 0]))) == [5, 3]
    assert waveforms.shape == (RATE,)
    assert names_in(tmp_path / "store") == names(3, 0, 5)


def test_sample_values_survive_to_int16_resolution(tmp_path, corpus):
    samples = np.random.default_rng(0).uniform(-1, 1, (RATE, 1)) * 0.99
    (corpus / "noise.wav").write_bytes(wav_bytes(samples, RATE, 24))
    waveforms = ingest(tmp_path / "store", corpus, ["noise.wav"], sample_rate=RATE)
    np.testing.assert_allclose(waveforms.gather(np.array([0]))[0], samples[:, 0], atol=0.51 / 2**15)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_lists_in_any_order_share_a_store(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("any")
    root = write_corpus(folder / "corpus", 8)
    for _ in range(3):
        wanted = data.draw(st.lists(st.integers(0, 7), min_size=1, max_size=12))
        size = data.draw(st.integers(1, 9))
        waveforms = stored(folder / "store", root, names(*wanted), clips_a_block=size)
        assert stored_values(waveforms) == wanted
    listed = names_in(folder / "store")
    assert len(listed) == len(set(listed))


def test_only_new_and_changed_clips_are_decoded(tmp_path, corpus, monkeypatch):
    decoded = count_decodes(monkeypatch)
    first = stored(tmp_path / "store", corpus, names(0, 1, 2))
    again = stored(tmp_path / "store", corpus, names(0, 1, 2))
    assert sorted(decoded) == names(0, 1, 2)
    assert first.key == again.key
    decoded.clear()
    write_clip(corpus / "1.wav", 0.9)
    changed = stored(tmp_path / "store", corpus, names(0, 1, 2, 3))
    assert sorted(decoded) == names(1, 3)
    assert stored_values(changed) == [0, 90, 2, 3]
    assert changed.key != first.key


FILES = ["index.tsv", "done.u4", "waveforms.int16"]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", ["cut", "deleted", "emptied", "filled"])
def test_a_store_that_was_damaged_is_mended(tmp_path, corpus, file, damage):
    store = tmp_path / "store"
    stored(store, corpus, names(0, 1, 2))
    path = store / file
    if damage == "cut":
        os.truncate(path, path.stat().st_size - 5)
    elif damage == "deleted":
        path.unlink()
    else:
        path.write_bytes(b"" if damage == "emptied" else bytes(100_000))
    if (file, damage) != ("waveforms.int16", "filled"):  # of which nothing tells
        assert stored_values(stored(store, corpus, names(3, 2, 1, 0))) == [3, 2, 1, 0]


def test_rows_that_were_cut_off_are_no_silence_once_later_ones_are_there(tmp_path, corpus):
    store = tmp_path / "store"
    stored(store, corpus, names(0, 1, 2, 3))
    os.truncate(store / "waveforms.int16", ROW_BYTES + 1)
    assert stored_values(stored(store, corpus, names(3))) == [3]
    assert rows_done(store) == [0, 3]
    assert stored_values(stored(store, corpus, names(0, 1, 2))) == [0, 1, 2]


def test_a_row_passes_for_no_other_clip(tmp_path, corpus, monkeypatch):
    store = tmp_path / "store"
    stored(store, corpus, names(0, 1))
    lines = (store / "index.tsv").read_bytes().splitlines(keepends=True)
    (store / "index.tsv").write_bytes(lines[1] + lines[0])
    decoded = count_decodes(monkeypatch)
    assert stored_values(stored(store, corpus, names(0, 1))) == [0, 1]
    assert sorted(decoded) == names(0, 1)


def test_an_interrupted_ingest_goes_on_at_the_clips_that_are_not_done(
    tmp_path, corpus, monkeypatch
):
    def stop(done, total):
        assert total == 6
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stored(tmp_path / "store", corpus, names(*range(6)), on_progress=stop)
    assert not list((tmp_path / "store").glob(".partial*"))
    decoded = count_decodes(monkeypatch)
    waveforms = stored(tmp_path / "store", corpus, names(*range(6)))
    assert sorted(decoded) == names(4, 5)
    assert stored_values(waveforms) == [0, 1, 2, 3, 4, 5]
    stored(tmp_path / "whole", corpus, names(*range(6)))
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_another_sample_rate_rebuilds_the_store(tmp_path, corpus):
    stored(tmp_path / "store", corpus, names(0, 1, 2))
    waveforms = ingest(tmp_path / "store", corpus, names(1), sample_rate=RATE // 2)
    assert waveforms.shape == (RATE // 2,)
    assert names_in(tmp_path / "store") == names(1)


OLD_FORM = (
    f'{{"sample_rate": {RATE}, "clip_samples": {RATE}, "exact": true, "channels": 1, '
    '"copy_mono": false, "source_rate": 8000, "version": 3}'
)


def test_a_store_of_shards_is_made_anew_and_a_line_says_so(tmp_path, corpus, caplog):
    store = tmp_path / "store"
    store.mkdir()
    for name in ("000000.int16", "000000.tsv", "1234567.tsv"):
        (store / name).write_bytes(b"x")
    (store / "format.json").write_text(OLD_FORM)
    (store / "notes.txt").write_text("mine")
    with caplog.at_level("INFO"):
        assert stored_values(stored(store, corpus, names(1))) == [1]
    assert f"store {store} has another format: rebuilding it" in caplog.text
    assert sorted(contents(store)) == sorted([*FILES, "format.json", "notes.txt"])


def test_a_store_of_the_layout_before_shards_is_emptied(tmp_path, corpus):
    store = tmp_path / "store"
    store.mkdir()
    (store / "waveforms.int16").write_bytes(bytes(100))
    (store / "index.tsv").write_text("0.wav\t1\t2\n")
    (store / "format.json").write_text(
        f'{{"version": 2, "sample_rate": {RATE}, "clip_samples": {RATE}, "exact": true, '
        '"channels": 1, "copy_mono": false, "source_rate": 8000}'
    )
    assert stored_values(stored(store, corpus, names(1))) == [1]
    assert sorted(contents(store)) == sorted([*FILES, "format.json"])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"sample_rate": "x"}', "\xff", "[" * 10_000, "1", OLD_FORM]
)
def test_a_broken_format_rebuilds_the_store(tmp_path, corpus, text):
    stored(tmp_path / "store", corpus, names(0, 1))
    (tmp_path / "store" / "format.json").write_text(text, "latin-1")
    assert stored_values(stored(tmp_path / "store", corpus, names(1))) == [1]
    assert read_format(tmp_path / "store").source_rate == RATE


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (
            {"rate": 16_000},
            "another sample rate; expected 8000 Hz like the others .*; received 16000 Hz",
        ),
        (
            {"seconds": 0.5},
            r"another length; expected 8000 samples \(1 s at 8000 Hz\); received 4000 samples",
        ),
        ({"channels": 2}, "not mono; expected 1 channel; received 2"),
    ],
)
def test_a_clip_unlike_the_others_is_named(tmp_path, corpus, clip, message):
    write_clip(corpus / "odd.wav", 0.1, **clip)
    with pytest.raises(InputError, match=rf"odd\.wav: clip (has|is) {message}"):
        stored(tmp_path / "store", corpus, [*names(0), "odd.wav"])


def test_all_missing_clips_are_counted_before_any_is_decoded(tmp_path, corpus, monkeypatch):
    decoded = count_decodes(monkeypatch)
    with pytest.raises(
        InputError, match=r"clip of the list is missing; received x\.wav and 1 more"
    ):
        stored(tmp_path / "store", corpus, [*names(0), "x.wav", "y.wav"])
    assert decoded == []


def test_a_name_that_would_break_a_line_of_the_index_is_refused(tmp_path, corpus):
    write_clip(corpus / "a\nb.wav", 0.1)
    with pytest.raises(InputError, match=r"name of a clip has a line break; received a b\.wav"):
        stored(tmp_path / "store", corpus, ["a\nb.wav"])


@pytest.mark.parametrize("name", ["a\tb.wav", "c\rd.wav", " e.wav", "f\udcff.wav", "g\u2028.wav"])
def test_any_other_name_is_taken(tmp_path, corpus, name):
    write_clip(corpus / name, 0.1)
    for _ in range(2):
        assert stored_values(stored(tmp_path / "store", corpus, [name])) == [10]


def test_good_clips_beside_a_faulty_one_are_kept(tmp_path, corpus, monkeypatch, caplog):
    for name in names(2, 4):
        (corpus / name).write_bytes(b"")
    with pytest.raises(InputError, match=r"2\.wav: audio file is empty.* \(1 more clips are fau"):
        stored(tmp_path / "store", corpus, names(*range(5)))
    assert "4.wav" in caplog.text
    assert rows_done(tmp_path / "store") == [0, 1, 3]
    decoded = count_decodes(monkeypatch)
    write_clip(corpus / "2.wav", 0.02)
    write_clip(corpus / "4.wav", 0.04)
    assert stored_values(stored(tmp_path / "store", corpus, names(*range(5)))) == [0, 1, 2, 3, 4]
    assert sorted(decoded) == names(2, 4)


def test_a_clip_that_changes_under_an_ingest_is_named(tmp_path, corpus):
    def change(done, total):
        if done == 1:
            write_clip(corpus / "5.wav", 0.5)

    with pytest.raises(InputError, match=r"5\.wav: clip has changed while the store was made"):
        stored(tmp_path / "store", corpus, names(*range(6)), on_progress=change, clips_a_block=1)
    assert stored_values(stored(tmp_path / "store", corpus, names(*range(6))))[5] == 50


def test_a_full_disk_is_refused_before_decoding(tmp_path, corpus, monkeypatch):
    usage = type("Usage", (), {"free": 1_000})()
    monkeypatch.setattr(ingestion.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(InputError, match="disk is too full for the waveform store"):
        stored(tmp_path / "store", corpus, names(0))


def test_clips_of_any_form_are_fitted_where_that_is_asked_for(tmp_path, corpus):
    write_clip(corpus / "short.wav", 0.5, seconds=0.25)
    write_clip(corpus / "long.wav", 0.5, seconds=2.0)
    write_clip(corpus / "stereo.wav", 0.5, channels=2, rate=16_000)
    clips = ["0.wav", "short.wav", "long.wav", "stereo.wav"]
    with pytest.raises(InputError, match="another length"):
        stored(tmp_path / "store", corpus, clips)
    waveforms = stored(tmp_path / "store", corpus, clips, exact=False)
    assert waveforms.shape == (RATE,)
    assert stored_values(waveforms) == [0, 0, 50, 50]
    np.testing.assert_allclose(waveforms.gather(np.array([1]))[0, :1_900], 0.5, atol=1e-3)
    with pytest.raises(InputError, match="another length"):  # the store is made anew
        stored(tmp_path / "store", corpus, clips)


def test_a_clip_shorter_than_a_frame_is_refused_in_any_form(tmp_path, corpus):
    write_clip(corpus / "click.wav", 0.5, seconds=0.03)
    with pytest.raises(InputError, match=r"click\.wav: clip is shorter than one frame; expected"):
        stored(tmp_path / "store", corpus, ["click.wav"], exact=False)


def test_several_channels_and_the_copy_of_one(tmp_path, corpus):
    waveforms = stored(tmp_path / "store", corpus, names(3), channels=2, copy_mono=True)
    assert waveforms.shape == (RATE, 2)
    values = waveforms.gather(np.array([0]))[0]
    np.testing.assert_allclose(values, 0.03, atol=1e-4)
