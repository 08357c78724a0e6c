import re
from pathlib import Path

import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.corpora import tau
from dcase_system.corpora.audioset import read_audioset
from dcase_system.corpora.corpus import (
    Clips,
    device_groups,
    is_tau,
    read_corpus,
    read_evaluation_list,
    read_tagged_corpus,
)
from tests.locations import in_memory

META = """\
filename\tscene_label\tidentifier\tsource_label
audio/park-lyon-1-0-0-a.wav\tpark\tlyon-1\ta
audio/bus-milan-2-0-0-a.wav\tbus\tmilan-2\ta
audio/bus-milan-2-0-0-s1.wav\tbus\tmilan-2\tS1
audio/bus-paris-3-0-0-b.wav\tbus\tparis-3\tb
"""
SPLIT5 = """\
filename\tscene_label
audio/bus-milan-2-0-0-s1.wav\tbus
audio/park-lyon-1-0-0-a.wav\tpark
"""


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "split_setup").mkdir()
    (tmp_path / "evaluation_setup").mkdir()
    (tmp_path / "meta.csv").write_text(META)
    (tmp_path / "split_setup" / "split5.csv").write_text(SPLIT5)
    return tmp_path


def read_all(root):
    return read_corpus(root).split(5)


def test_a_split_keeps_the_order_of_meta(root):
    clips = read_all(root)
    assert clips.filenames == ("audio/park-lyon-1-0-0-a.wav", "audio/bus-milan-2-0-0-s1.wav")
    assert clips.labels.tolist() == [1, 0]
    assert clips.locations == ("lyon-1", "milan-2")
    assert clips.devices == ("a", "s1")


def test_scenes_are_alphabetical_unless_given(root):
    assert read_corpus(root).scenes == ("bus", "park")
    corpus = read_corpus(root, ("park", "metro", "bus"))
    assert corpus.split(5).labels.tolist() == [0, 2]


def test_a_clip_has_several_labels_where_the_column_says_so(root):
    text = META.replace("scene_label", "labels").replace("\tpark\t", "\tpark;bus|2;dog\t")
    (root / "meta.csv").write_text(text)
    (root / "split_setup" / "split5.csv").write_text(SPLIT5.replace("scene_label", "labels"))
    corpus = read_tagged_corpus(root)
    assert corpus.scenes == ("bus", "bus|2", "dog", "park")
    clips = corpus.split(5)
    assert clips.labels.tolist() == [[0, 1, 1, 1], [1, 0, 0, 0]]
    assert clips.labels.dtype == np.float32
    with pytest.raises(InputError, match="column 'scene_label' is missing"):
        read_corpus(root)


def test_what_a_url_lacks_is_one_line(root):
    url = in_memory(root)
    assert read_corpus(url).split(5).filenames == read_all(root).filenames
    for name, read in {
        f"{url}/none: data folder does not exist": lambda: read_corpus(f"{url}/none"),
        f"{url}/meta.csv: is a file; expected a folder": lambda: read_corpus(f"{url}/meta.csv"),
        f"{url}/split_setup/meta.csv: file is missing": lambda: read_corpus(f"{url}/split_setup"),
        f"{url}/split_setup/test.csv: list of clips is missing": lambda: read_corpus(url).test(),
        f"{url}/evaluation_setup/fold1_test.csv: file is": lambda: read_evaluation_list(url),
    }.items():
        with pytest.raises(InputError, match=re.escape(name)) as caught:
            read()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("place", ["split_setup", ".", "evaluation_setup"])
def test_lists_are_found_where_editions_put_them(root, place):
    (root / place / "test.csv").write_text(SPLIT5)
    assert len(read_corpus(root).test()) == 2


def test_windows_line_ends_and_a_byte_order_mark_are_harmless(root):
    (root / "meta.csv").write_bytes(b"\xef\xbb\xbf" + META.replace("\n", "\r\n").encode())
    assert read_all(root).locations == ("lyon-1", "milan-2")


@pytest.mark.parametrize(
    "end", ["", "\n", "\n\n\n", "\r\n\r\n", " \n", "\t\n", "\t\t\t", "\n \n \n"]
)
def test_blank_lines_at_the_end_of_any_list_are_harmless(root, end):
    (root / "meta.csv").write_text(META + end, newline="")
    (root / "split_setup" / "split5.csv").write_text(SPLIT5 + end, newline="")
    names = root / "evaluation_setup" / "fold1_test.csv"
    names.write_text("filename\naudio/1.wav\naudio/0.wav\n" + end, newline="")
    assert len(read_corpus(root).meta) == 4
    assert len(read_all(root)) == 2
    assert read_evaluation_list(root) == ("audio/1.wav", "audio/0.wav")


def test_a_list_of_names_alone_has_the_scenes_of_meta(root):
    with_scenes = read_all(root)
    names = "".join(line.split("\t")[0] + "\n" for line in SPLIT5.splitlines())
    (root / "split_setup" / "split5.csv").write_text(names)
    assert read_all(root).filenames == with_scenes.filenames
    assert read_all(root).labels.tolist() == with_scenes.labels.tolist()


def test_an_empty_scene_of_a_list_is_refused(root):
    (root / "split_setup" / "split5.csv").write_text(SPLIT5.replace("\tpark", "\t"))
    with pytest.raises(InputError, match=r"split5\.csv line 3: field 'scene_label' is empty"):
        read_all(root)


def test_blanks_that_make_labels_differ_are_shown(root):
    (root / "split_setup" / "split5.csv").write_text(SPLIT5.replace("\tpark", "\tpark "))
    with pytest.raises(InputError, match=r"differs from meta\.csv; expected park; rec.* 'park '$"):
        read_all(root)
    (root / "meta.csv").write_text(META.replace("\tpark\t", "\tpark \t"))
    with pytest.raises(InputError, match=r"line 2: .*expected bus, park; received 'park '$"):
        read_corpus(root, ("bus", "park"))
    (root / "meta.csv").write_text(META)
    with pytest.raises(InputError, match=r"line 2: .*expected bus, 'park '; received park$"):
        read_corpus(root, ("bus", "park "))
    (root / "meta.csv").write_text(META.replace("scene_label", "scene_label "))
    with pytest.raises(InputError, match=r"received filename, 'scene_label ', identifier, source"):
        read_corpus(root)


def test_quotes_are_part_of_a_name(root):
    (root / "meta.csv").write_text(META.replace("lyon-1-0-0-a.wav", 'ly"on.wav'))
    assert read_corpus(root).meta.filename[0] == 'audio/park-ly"on.wav'


@pytest.mark.parametrize(
    ("found", "replacement", "message"),
    [
        ("\t", ",", "meta.csv: column 'filename' is missing, the file looks comma-separated"),
        ("identifier", "city", "meta.csv: column 'identifier' is missing"),
        ("source_label", "source_label\tfilename", "meta.csv: a column appears twice"),
        (META, "", "meta.csv: file is empty"),
        (META, "\n\n", "meta.csv: file is empty"),
        (META, META.splitlines()[0], "meta.csv: list has no rows"),
        ("\tlyon-1", "\t", "meta.csv line 2: field 'identifier' is empty"),
        ("\tlyon-1", "\t  ", "meta.csv line 2: field 'identifier' is empty"),
        ("paris-3\tb", "paris-3\t", "meta.csv line 5: field 'source_label' is empty"),
        ("milan-2\ta", "milan-2", "meta.csv line 3: row has the wrong number of fields"),
        ("milan-2\ta\n", "milan-2\ta\n\n", "meta.csv line 4: row has the wrong number of fields"),
        ("milan-2\ta\n", "milan-2\ta\tx\n", "meta.csv line 3: row has the wrong number of fields"),
        ("0-b.wav", "0-b.wav\tbus\tx\tb\naudio/bus-paris-3-0-0-b.wav", "line 6: clip is listed tw"),
        ("audio/bus-paris", "audio/../../bus", "line 5: clip lies outside the data folder"),
        ("audio/bus-paris", "/etc/bus", "line 5: clip lies outside the data folder"),
        ("audio/bus-paris", "audio\\..\\bus", "line 5: clip lies outside the data folder"),
        ("audio/bus-paris", "C:/bus", "line 5: clip lies outside the data folder"),
        ("\tbus\t", "\tpark\t", "meta.csv: too few scenes"),
    ],
)
def test_a_damaged_meta_is_named_with_its_line(root, found, replacement, message):
    assert found in META
    (root / "meta.csv").write_text(META.replace(found, replacement))
    with pytest.raises(InputError) as failure:
        read_corpus(root)
    assert message in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_scene_that_is_not_in_the_class_list_is_refused(root):
    with pytest.raises(
        InputError, match=r"meta.csv line 2: .*not in the class list.*received park"
    ):
        read_corpus(root, ("bus", "tram"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("audio/tram-x.wav\ttram", "line 4: clip is not in meta.csv; received audio/tram-x.wav"),
        ("audio/bus-paris-3-0-0-b.wav\tpark", "line 4: scene of audio/bus-paris-3-0-0-b.wav diff"),
        ("audio/bus-milan-2-0-0-s1.wav\tbus", "line 4: clip is listed twice"),
    ],
)
def test_a_split_that_contradicts_meta_is_refused(root, rows, message):
    (root / "split_setup" / "split5.csv").write_text(SPLIT5 + rows + "\n")
    with pytest.raises(InputError) as failure:
        read_all(root)
    assert f"split5.csv {message}" in str(failure.value)


def test_missing_folders_and_files_are_named(root):
    with pytest.raises(InputError, match="nowhere: data folder does not exist"):
        read_corpus(root / "nowhere")
    with pytest.raises(InputError, match=r"split25.csv: list of clips is missing"):
        read_corpus(root).split(25)
    (root / "meta.csv").unlink()
    with pytest.raises(InputError, match=r"meta.csv: file is missing; expected tab-separated"):
        read_corpus(root)
    with pytest.raises(InputError, match="nowhere: data folder does not exist"):
        read_evaluation_list(root / "nowhere")


@pytest.mark.parametrize("read", [read_corpus, read_evaluation_list, read_audioset])
def test_an_empty_folder_is_said_to_be_empty(tmp_path, read):
    (tmp_path / ".DS_Store").touch()
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: data folder is empty; expected a ")


@pytest.mark.parametrize("read", [read_corpus, read_evaluation_list, read_audioset])
def test_a_file_is_no_data_folder(tmp_path, read):
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as caught:
        read(tmp_path / "file")
    assert str(caught.value) == f"{tmp_path}/file: is a file; expected a folder"


@pytest.mark.parametrize("folder", ["", "audio/"])
def test_folders_named_by_class_are_told_what_a_list_is(tmp_path, folder):
    for name in ("park/a.wav", "bus/b.FLAC", "bus/._b.wav"):
        (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / name).touch()
    with pytest.raises(InputError) as caught:
        read_corpus(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/meta.csv: file is missing: the names of folders are no labels here; expected "
        "tab-separated columns filename, scene_label, identifier, source_label, and one row for "
        "each clip; or recipes.sounds, for a folder of recordings for each class; "
        f"received audio without a list, such as {folder}bus/b.FLAC"
    )


def test_a_corpus_one_level_down_is_named(root):
    above = root / "above"
    (above / "corpus").mkdir(parents=True)
    (root / "meta.csv").rename(above / "corpus" / "meta.csv")
    with pytest.raises(InputError) as caught:
        read_corpus(above)
    assert str(caught.value) == (
        f"{above}/meta.csv: file is missing, but is one level down; expected {above / 'corpus'}"
    )


def test_text_in_another_encoding_is_refused(root):
    (root / "meta.csv").write_bytes(META.replace("lyon", "orléans").encode("latin-1"))
    with pytest.raises(InputError, match=r"meta.csv: not UTF-8 text"):
        read_corpus(root)


def test_an_evaluation_list_has_names_only(root):
    path = root / "evaluation_setup" / "fold1_test.csv"
    path.write_text("filename\naudio/1.wav\naudio/0.wav\n")
    assert read_evaluation_list(root) == ("audio/1.wav", "audio/0.wav")
    path.write_text("filename\naudio/1.wav\n\naudio/0.wav\n")
    with pytest.raises(InputError, match="line 3: field 'filename' is empty"):
        read_evaluation_list(root)


def test_tau_devices_fall_into_the_groups_of_the_baseline():
    train = ("a", "b", "c", "s1", "s2", "s3")
    assert device_groups(train, tau.DEVICES[::-1]) == {
        "real": ("a", "b", "c"),
        "seen": ("s1", "s2", "s3"),
        "unseen": ("s4", "s5", "s6"),
    }
    assert device_groups(("a", "s1"), ("a",)) == {"real": ("a",)}


def test_tau_is_known_by_its_scenes_in_order():
    assert is_tau(tau.SCENES)
    assert not is_tau(tau.SCENES[::-1])


@pytest.mark.parametrize("rows", [np.array([2, 0]), np.array([True, False, True])])
def test_take_follows_positions_and_masks(rows):
    clips = Clips(("x", "y", "z"), np.array([0, 1, 2]), ("l", "m", "n"), ("a", "b", "c"))
    taken = clips.take(rows)
    expected = np.arange(3)[rows].tolist()
    assert taken.labels.tolist() == expected
    assert taken.filenames == tuple("xyz"[row] for row in expected)
    assert taken.devices == tuple("abc"[row] for row in expected)


@pytest.mark.shared
def test_scenes10_reads_as_documented(shared):
    corpus = read_corpus(shared / "scenes10")
    assert len(corpus.meta) == 3299
    assert len(corpus.scenes) == 10
    assert not is_tau(corpus.scenes)
    train, test = corpus.split(100), corpus.test()
    assert (len(train), len(test)) == (1730, 1569)
    assert not set(train.locations) & set(test.locations)
    smaller: set[str] = set()
    for percent in tau.SPLITS:
        names = set(corpus.split(percent).filenames)
        assert smaller < names
        smaller = names
    assert device_groups(train.devices, test.devices) == {
        "real": ("a",),
        "seen": ("s1", "s2", "s3"),
        "unseen": ("s4", "s5", "s6"),
    }
