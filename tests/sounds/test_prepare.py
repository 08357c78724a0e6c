"""From recordings to windows and lists: no leaks; doubtful recordings are named."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.audio.decode import read_audio
from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import read_corpus, read_tagged_corpus
from dcase_system.corpora.lists import read_split
from dcase_system.sounds.parts import divided, without_copies
from dcase_system.sounds.prepare import SUMMARY, WINDOWS, prepare
from dcase_system.sounds.recordings import Recording, find_recordings
from dcase_system.sounds.scanning import Scanned, Window, scan
from dcase_system.sounds.summary import as_text
from tests.sounds.folders import write, write_folders

_WINDOW = (Window("w", 0, 1),)


def prepared(source, folder, pattern=None, **given):
    root, recordings = find_recordings(source, pattern)
    defaults = {"window_seconds": 1.0, "hop_seconds": 1.0, "test_fraction": 0.3, "seed": 0}
    return prepare(folder, root, recordings, **defaults | given)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Recordings with every doubtful kind, as a prepared corpus, and its summary."""
    folder = tmp_path_factory.mktemp("sounds")
    source = write_folders(folder / "recordings")
    shutil.copy(source / "bus" / "ü.wav", source / "park" / "copied.wav")
    shutil.copy(source / "park" / "ü.wav", source / "park" / "again.wav")
    write(source / "park" / "silent.wav", 2, level=0)
    write(source / "park" / "loud.wav", 2, level=9, seed=99)
    write(source / "park" / "short.wav", 0.4)
    write(source / "tram" / "only one.wav", 2)
    (source / "bus" / "broken.wav").write_bytes(b"RIFF nothing")
    return folder / "corpus", prepared(source, folder / "corpus")


def test_every_doubtful_recording_is_named(corpus):
    _, summary = corpus
    assert summary["silent"] == ["park/silent.wav"]
    assert summary["clipped"] == ["park/loud.wav"]
    assert summary["too short"] == ["park/short.wav"]
    (unreadable,) = summary["unreadable"]
    assert "bus/broken.wav" in unreadable and "\n" not in unreadable
    assert summary["copies"] == [
        "bus/ü.wav: same audio as park/copied.wav under another label",
        "park/copied.wav: same audio as bus/ü.wav under another label",
        "park/ü.wav: same audio as park/again.wav",
    ]
    assert "class 'tram' has no recording to test on: it has 1" in summary["warnings"]
    text = as_text(summary)
    for words in ("silent: 1", "unreadable: 1", "22,050 Hz: ", "Warning: class 'tram'"):
        assert words in text
    assert max(len(line) for line in text.splitlines() if "broken" not in line) <= 100


def test_the_lists_are_those_of_a_corpus_and_nothing_is_in_both(corpus):
    folder, summary = corpus
    lists = read_split(read_corpus(folder), 100)
    assert not lists.warnings  # no recording is in both lists
    assert not set(lists.train.locations) & set(lists.test.locations)
    for row in summary["classes"]:
        index = lists.corpus.scenes.index(row["label"])
        assert row["train"] == int((lists.train.labels == index).sum())
        assert row["test"] == int((lists.test.labels == index).sum())


def test_a_window_is_that_part_of_its_recording(tmp_path):
    write(tmp_path / "bus" / "a.wav", 2.5, 32_000, seed=1)
    recording = Recording("bus/a.wav", "bus", "g", start_seconds=0.25, end_seconds=2.5)
    (tmp_path / "out").mkdir()
    scanned = scan(tmp_path, recording, tmp_path / "out", "w", window_seconds=1.0, hop_seconds=0.5)
    samples, _ = read_audio(tmp_path / "bus" / "a.wav")
    starts = [window.start_seconds for window in scanned.windows]
    assert starts == [0.25, 0.75, 1.25, 1.5]  # the last one ends with the recording
    for window in scanned.windows:
        found, rate = read_audio(tmp_path / "out" / window.file)
        first = round(window.start_seconds * 32_000)
        assert rate == 32_000 and len(found) == 32_000
        np.testing.assert_allclose(found, samples[first : first + 32_000], atol=1e-4)


def test_a_segment_is_not_read_to_the_end_of_its_file(tmp_path):
    write(tmp_path / "bus" / "a.wav", 3.0, 32_000, seed=1)
    path = tmp_path / "bus" / "a.flac"
    soundfile.write(path, *soundfile.read(tmp_path / "bus" / "a.wav"))
    path.write_bytes(path.read_bytes()[:-20_000])  # damaged behind the segment
    (tmp_path / "out").mkdir()
    for end, windows in ((1.0, 1), (3.0, 0)):
        recording = Recording("bus/a.flac", "bus", "g", end_seconds=end)
        given = {"window_seconds": 1.0, "hop_seconds": 1.0}
        assert len(scan(tmp_path, recording, tmp_path / "out", "w", **given).windows) == windows


def test_samples_of_16_bits_at_the_rate_of_the_windows_stay_as_they_are(tmp_path):
    samples = np.random.default_rng(0).integers(-32_768, 32_768, 24_000).astype(np.int16)
    (tmp_path / "bus").mkdir()
    soundfile.write(tmp_path / "bus" / "a.wav", samples, 24_000, subtype="PCM_16")
    recording, window = Recording("bus/a.wav", "bus", "g"), {"window_seconds": 1.0}
    scan(tmp_path, recording, tmp_path, "w", **window, hop_seconds=1.0, sample_rate=24_000)
    found, rate = soundfile.read(tmp_path / "w-00000.wav", dtype="int16")
    assert rate == 24_000 and (found == samples).all()


def test_channels_are_averaged_and_rates_converted(tmp_path):
    write(tmp_path / "bus" / "a.wav", 1.0, 48_000, 2)
    (tmp_path / "out").mkdir()
    recording = Recording("bus/a.wav", "bus", "g")
    scanned = scan(tmp_path, recording, tmp_path / "out", "w", window_seconds=1.0, hop_seconds=1.0)
    assert (scanned.sample_rate, scanned.channels, scanned.seconds) == (48_000, 2, 1.0)
    (window,) = scanned.windows
    assert read_audio(tmp_path / "out" / window.file)[0].shape == (32_000, 1)


@pytest.mark.parametrize(("seconds", "windows"), [(0.4, 0), (0.5, 1), (1.0, 1), (1.1, 2), (3.0, 3)])
def test_the_windows_of_a_recording(tmp_path, seconds, windows):
    write(tmp_path / "bus" / "a.wav", seconds)
    (tmp_path / "out").mkdir()
    recording = Recording("bus/a.wav", "bus", "g")
    scanned = scan(tmp_path, recording, tmp_path / "out", "w", window_seconds=1.0, hop_seconds=1.0)
    assert len(scanned.windows) == windows
    assert ("too short" in scanned.notes) == (windows == 0)


def test_ready_made_parts_stay_and_a_copy_among_them_is_tested_on_only(tmp_path):
    source = tmp_path / "recordings"
    for number, part in enumerate(("train", "validation", "test")):
        for label in ("bus", "park"):
            for index in range(2):
                seed = 100 * number + 10 * len(label) + index
                write(source / part / label / f"{index}.wav", 1, seed=seed)
    shutil.copy(source / "test" / "bus" / "0.wav", source / "train" / "bus" / "leak.wav")
    summary = prepared(source, tmp_path / "corpus")
    assert summary["copies"] == ["train/bus/leak.wav: same audio as test/bus/0.wav"]
    assert [(row["train"], row["validation"], row["test"]) for row in summary["classes"]] == [
        (2, 2, 2)
    ] * 2
    windows = pd.read_csv(tmp_path / "corpus" / WINDOWS).set_index("filename").recording
    for part, name in (("train", "split100"), ("validation", "validation"), ("test", "test")):
        path = tmp_path / "corpus" / "split_setup" / f"{name}.csv"
        listed = pd.read_csv(path, sep="\t").filename
        assert all(windows[one].startswith(f"{part}/") for one in listed)


def test_a_copy_of_another_class_and_part_is_named_and_neither_is_used():
    usual = Scanned(Recording("test/bus/0.wav", "bus", "0", "test"), digest="1", windows=_WINDOW)
    leak = Scanned(Recording("train/park/x.wav", "park", "x", "train"), digest="1", windows=_WINDOW)
    kept, notes = without_copies([usual, leak])
    assert kept == []
    assert notes == [
        "test/bus/0.wav: same audio as train/park/x.wav under another label",
        "train/park/x.wav: same audio as test/bus/0.wav under another label",
    ]


def test_what_is_finished_is_not_read_again(corpus, tmp_path):
    folder, summary = corpus
    stamp = (folder / SUMMARY).stat().st_mtime_ns
    assert prepared(folder.parent / "recordings", folder) == summary
    assert (folder / SUMMARY).stat().st_mtime_ns == stamp


def test_classes_without_two_recordings_cannot_be_tested_on(tmp_path):
    write_folders(tmp_path / "recordings", 1)
    with pytest.raises(InputError, match=r"too few classes to test on; .*received none"):
        prepared(tmp_path / "recordings", tmp_path / "corpus")


groups = st.lists(
    st.tuples(
        st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True).map(sorted),
        st.integers(0, 6),
        st.integers(1, 9),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(groups, st.integers(0, 99), st.floats(0.05, 0.5))
def test_no_group_is_divided_and_every_class_can_be_trained_on(found, seed, fraction):
    scanned = [
        Scanned(
            Recording(f"{index}.wav", ";".join(labels), str(group)),
            windows=(Window("w", 0, 1),) * windows,
        )
        for index, (labels, group, windows) in enumerate(found)
    ]
    parts = divided(scanned, fraction, seed, fraction)
    part_of = {}
    for one in parts:
        assert part_of.setdefault(one.recording.group, one.recording.part) == one.recording.part
    labels = {label for of_one, *_ in found for label in of_one}
    trained = [one.recording.labels for one in parts if one.recording.part == "train"]
    assert {label for of_one in trained for label in of_one} == labels
    assert parts == divided(scanned, fraction, seed, fraction)


def test_the_parts_have_their_shares_of_every_class():
    scanned = [
        Scanned(Recording(f"{index}.wav", label, str(index)), windows=_WINDOW)
        for index, label in enumerate(["a"] * 40 + ["a;b"] * 20 + ["b;c"] * 10)
    ]
    parts = divided(scanned, 0.2, 0, 0.1)
    for label, total in (("a", 60), ("b", 30), ("c", 10)):
        of = [one.recording.part for one in parts if label in one.recording.labels]
        assert abs(of.count("test") - 0.2 * total) <= 1
        assert abs(of.count("validation") - 0.1 * total) <= 1


def test_recordings_of_several_labels_make_a_corpus_of_tags(tmp_path):
    rows = ["file,label"]
    for index, label in enumerate(["dog", "dog;rain", "rain", "rain;dog"] * 2):
        write(tmp_path / f"{index}.wav", 2, seed=index)
        rows.append(f"{index}.wav,{label}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    summary = prepared(tmp_path / "table.csv", tmp_path / "corpus")
    assert summary["several_labels"] == 4 and "4 recordings have several" in as_text(summary)
    lists = read_split(read_tagged_corpus(tmp_path / "corpus"), 100)
    assert lists.corpus.scenes == ("dog", "rain")
    for row, column in zip(summary["classes"], lists.train.labels.T, strict=True):
        assert row["recordings"] == 6 and row["train"] == column.sum()


def test_copies_with_one_label_leave_one():
    scanned = [
        Scanned(Recording(f"a/{name}.wav", "a", name), windows=(Window("w", 0, 1),), digest=digest)
        for name, digest in (("x", "1"), ("y", "1"), ("z", "2"), ("u", "1"))
    ]
    kept, notes = without_copies(scanned)
    assert [one.recording.group for one in kept] == ["x", "z"]
    assert notes == ["a/y.wav: same audio as a/x.wav", "a/u.wav: same audio as a/x.wav"]
    other = replace(scanned[1], recording=Recording("b/y.wav", "b", "y"))
    kept, notes = without_copies([scanned[0], other])
    assert kept == [] and len(notes) == 2
