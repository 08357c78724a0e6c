import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.audio.store import ingest, ingestion
from dcase_system.audio.store.form import read_form
from dcase_system.errors import InputError
from tests.audio.audio_files import wav_bytes
from tests.audio.store.clips import (
    RATE,
    contents,
    corpus,
    count_decodes,
    names,
    planned_names,
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
    assert planned_names(tmp_path / "store") == {0: names(3, 0), 1: names(5)}


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
        waveforms = stored(folder / "store", root, names(*wanted), clips_a_shard=size)
        assert stored_values(waveforms) == wanted
    planned = [name for shard in planned_names(folder / "store").values() for name in shard]
    assert len(planned) == len(set(planned))


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


@pytest.mark.parametrize("damage", ["rows cut", "rows deleted", "plan deleted", "plan cut"])
def test_a_store_that_was_damaged_is_mended(tmp_path, corpus, damage):
    store = tmp_path / "store"
    stored(store, corpus, names(0, 1, 2))
    what, how = damage.split()
    path = store / ("000000.int16" if what == "rows" else "000000.tsv")
    if how == "cut":
        os.truncate(path, path.stat().st_size - 5)
    else:
        path.unlink()
    assert stored_values(stored(store, corpus, names(0, 1, 2, 3))) == [0, 1, 2, 3]
    assert planned_names(store)[1] == names(2)


def test_an_interrupted_ingest_goes_on_at_the_shards_that_are_not_done(
    tmp_path, corpus, monkeypatch
):
    def stop(done, total):
        assert total == 6
        if done == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr("dcase_system.audio.store.write._CHUNK_BYTES", 1)
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
    assert planned_names(tmp_path / "store") == {0: names(1)}


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
    assert sorted(contents(store)) == ["000000.int16", "000000.tsv", "format.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sample_rate": "x"}', "\xff", "[" * 10_000])
def test_a_broken_format_rebuilds_the_store(tmp_path, corpus, text):
    stored(tmp_path / "store", corpus, names(0, 1))
    (tmp_path / "store" / "format.json").write_text(text, "latin-1")
    assert stored_values(stored(tmp_path / "store", corpus, names(1))) == [1]
    assert read_form(tmp_path / "store").source_rate == RATE


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (
            {"rate": 16_000},
            "another sample rate; expected 8000 Hz as the others .*; received 16000 Hz",
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


def test_a_name_that_would_break_a_line_of_a_plan_is_refused(tmp_path, corpus):
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
    assert planned_names(tmp_path / "store") == {0: names(0, 1), 1: names(3)}
    decoded = count_decodes(monkeypatch)
    write_clip(corpus / "2.wav", 0.02)
    write_clip(corpus / "4.wav", 0.04)
    assert stored_values(stored(tmp_path / "store", corpus, names(*range(5)))) == [0, 1, 2, 3, 4]
    assert sorted(decoded) == names(2, 4)


def test_a_clip_that_changes_under_an_ingest_is_named(tmp_path, corpus, monkeypatch):
    monkeypatch.setattr("dcase_system.audio.store.write._CHUNK_BYTES", 1)
    monkeypatch.setattr(ingestion, "usable_cores", lambda: 1)

    def change(done, total):
        if done == 1:
            write_clip(corpus / "5.wav", 0.5)

    with pytest.raises(InputError, match=r"5\.wav: clip has changed while the store was made"):
        stored(tmp_path / "store", corpus, names(*range(6)), on_progress=change)
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
