"""Finding recordings in folders and tables, and refused ones."""

from pathlib import PurePosixPath

import pytest

from dcase_system.core.errors import InputError
from dcase_system.sounds.recordings import Recording, find_recordings
from tests.sounds.folders import write_folders


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_folders(tmp_path_factory.mktemp("sounds") / "recordings")


def test_the_first_folder_is_the_class_at_any_depth(root):
    (root / "bus" / "._ü.wav").write_bytes(b"Mac")
    (root / "bus" / "notes.txt").write_text("no audio")
    (root / "stray.wav").write_bytes(b"of no class")
    folder, found = find_recordings(root)
    assert folder == root and len(found) == 12
    assert {one.label for one in found} == {"bus", "park", "Straße 5%"}
    paths = {str(one.path): one for one in found}
    assert paths["bus/deep/er/site 1#1.WAV"].label == "bus"
    assert all(one.group == str(one.path) and not one.part for one in found)


def test_a_pattern_groups_recordings(root):
    _, found = find_recordings(root, r"(site \d|ü)")
    assert {one.group for one in found} == {"site 0", "site 1", "ü"}
    _, found = find_recordings(root, r"^[^/]*")
    assert {one.group for one in found} == {"bus", "park", "Straße 5%"}


def test_parts_are_taken_as_they_are(tmp_path):
    for part in ("train", "validation", "test"):
        write_folders(tmp_path / part, 1)
    (tmp_path / "other").mkdir()
    _, found = find_recordings(tmp_path)
    assert {(one.part, one.label) for one in found} == {
        (part, label)
        for part in ("train", "validation", "test")
        for label in ("bus", "park", "Straße 5%")
    }


def test_without_a_test_part_the_validation_part_is_tested_on(tmp_path):
    for part in ("Train", "Validation"):
        write_folders(tmp_path / part, 1)
    _, found = find_recordings(tmp_path)
    assert {one.part for one in found if one.path.parts[0] == "Validation"} == {"test"}
    assert {one.part for one in found if one.path.parts[0] == "Train"} == {"train"}


def test_a_train_folder_alone_is_a_class(tmp_path):
    write_folders(tmp_path / "train", 1)
    write_folders(tmp_path / "tram", 1)
    _, found = find_recordings(tmp_path)
    assert {one.label for one in found} == {"train", "tram"}


def test_a_table_names_files_labels_groups_and_times(tmp_path):
    table = tmp_path / "sounds.csv"
    table.write_text(
        "file,label,group,start,end\n"
        'a.wav,"dog, barking",one,,\n'
        "b.wav,cat,one,1.5,3\n"
        "b.wav,cat,,3,\n",
        encoding="utf-8-sig",
    )
    root, found = find_recordings(table)
    assert root == tmp_path
    assert found == [
        Recording(PurePosixPath("a.wav"), "dog, barking", "one"),
        Recording(PurePosixPath("b.wav"), "cat", "one", "", 1.5, 3.0),
        Recording(PurePosixPath("b.wav"), "cat", "b.wav", "", 3.0),
    ]
    assert list(map(str, found)) == ["a.wav", "b.wav 1.5-3 s", "b.wav 3-end s"]


def test_a_table_has_several_labels_in_a_field(tmp_path):
    table = tmp_path / "sounds.csv"
    table.write_text("file,label,end\na.wav,rain; dog,\na.wav,dog,2\na.wav,dog,2\n")
    _, found = find_recordings(table)
    assert [one.label for one in found] == ["dog;rain", "dog", "dog"]
    assert found[0].labels == ("dog", "rain")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "file,label\na.wav,dog\na.wav,cat\n",
            "line 3: recording has other labels in an earlier row; .*a.wav: cat after dog",
        ),
        ("file,label\na.wav,dog;\n", "line 2: label is empty or twice"),
        ("file,label\na.wav,dog;cat;dog\n", "line 2: label is empty or twice"),
        ("", "wrong columns; expected file, label"),
        ("file\tlabel\na.wav\tdog\n", "wrong columns"),
        ("file,label,loudness\na.wav,dog,3\n", "wrong columns"),
        ("file,label\na.wav,dog\n", "too few classes; .*received dog"),
        ("file,label\na.wav,\n", "line 2: row is not valid"),
        ("file,label\na.wav,dog,cat\n", "line 2: row is not valid"),
        ("file,label,part\na.wav,dog,exam\n", "line 2: row is not valid"),
        ("file,label\n../a.wav,dog\n", "outside the table's folder"),
        ("file,label\n/a.wav,dog\n", "outside the table's folder"),
        ("file,label,start\na.wav,dog,soon\n", "line 2: time is not a number"),
        ("file,label,start,end\na.wav,dog,2,1\n", "start is not before end"),
        ("file,label,start\na.wav,dog,nan\n", "start is not before end"),
    ],
)
def test_a_broken_table_is_refused_in_one_line(tmp_path, text, message):
    (tmp_path / "sounds.csv").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        find_recordings(tmp_path / "sounds.csv")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "pattern", "message"),
    [
        ("nowhere", None, "data folder does not exist"),
        ("ü.wav", None, "not a folder or a .csv table"),
        ("empty", None, "too few classes; .*received no recordings in folders"),
        ("one", None, "too few classes; .*received park"),
        ("several", None, "a;b: class folder has a semicolon"),
        ("two", "(", "not a regular expression .*--group_pattern|--group_pattern: not a regular"),
        ("two", "z{9}", "path does not match --group_pattern"),
    ],
)
def test_other_input_is_refused_in_one_line(tmp_path, name, pattern, message):
    (tmp_path / "empty").mkdir()
    write_folders(tmp_path / "two", 1)
    (tmp_path / "two" / "bus" / "ü.wav").rename(tmp_path / "ü.wav")
    (tmp_path / "one" / "park").mkdir(parents=True)
    (tmp_path / "several" / "a;b").mkdir(parents=True)
    (tmp_path / "several" / "a;b" / "a.wav").write_bytes(b"")
    (tmp_path / "one" / "park" / "a.wav").write_bytes(b"")
    with pytest.raises(InputError, match=message) as caught:
        find_recordings(tmp_path / name, pattern)
    assert "\n" not in str(caught.value)
