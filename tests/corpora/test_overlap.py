"""Lists that share clips are refused by name; shared locations are counted."""

import re

import pytest

from dcase_system.core.errors import InputError
from dcase_system.corpora import tau
from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.demo import (
    STEREO_TINY,
    TINY,
    write_demo_corpus,
    write_stereo_demo_corpus,
)
from dcase_system.corpora.lists import read_lists, read_split
from dcase_system.corpora.task1b import TEST_LIST, TRAIN_LIST, read_task1b
from tests.corpora.lists import write_lists
from tests.locations import in_memory

ROWS = [
    ("audio/bus-1.wav", "bus", "lyon-1", "a"),
    ("audio/bus-2.wav", "bus", "lyon-1", "b"),
    ("audio/park-1.wav", "park", "paris-2", "a"),
    ("audio/bus-3.wav", "bus", "lyon-3", "a"),
    ("audio/park-2.wav", "park", "paris-4", "b"),
]


def lists_of(root, evaluation=None):
    return read_split(read_corpus(root), 100, evaluation)


def test_lists_of_other_places_have_no_warnings(tmp_path):
    lists = lists_of(write_lists(tmp_path, ROWS, split100=[0, 1, 2], test=[3, 4]))
    assert (len(lists.train), len(lists.test), lists.warnings) == (3, 2, ())


@pytest.mark.parametrize(
    ("train", "test", "received"),
    [
        ([0, 1, 2], [2, 3, 4], "received 1, the first audio/park-1.wav"),
        ([0, 1, 2], [0, 1, 2], "received 3, the first audio/bus-1.wav"),
        ([0, 1, 2, 3, 4], [4, 3], "received 2, the first audio/bus-3.wav"),
    ],
)
def test_clips_in_both_lists_are_refused(tmp_path, train, test, received):
    write_lists(tmp_path, ROWS, split100=train, test=test)
    with pytest.raises(InputError) as caught:
        lists_of(tmp_path)
    assert str(caught.value) == (
        "test.csv: clips are also in split100.csv: training clips cannot be scored; "
        f"expected no clip in both lists; {received}"
    )


@pytest.mark.parametrize(
    "written", ["./audio/bus-1.wav", "audio//bus-1.wav", "x/../audio/bus-1.wav"]
)
def test_a_clip_is_the_same_however_its_path_is_written(tmp_path, written):
    # A path that leads out and back is refused as one that leads out.
    rows = [*ROWS, (written, "bus", "lyon-9", "a")]
    with pytest.raises(InputError, match=r"listed twice|outside the data folder"):
        lists_of(write_lists(tmp_path, rows, split100=[0, 1, 2], test=[3, 5]))


@pytest.mark.parametrize(
    ("train", "test", "warning"),
    [
        (
            [0, 2],
            [1, 3],
            "1 of 2 recording places of test.csv are in split100.csv too, the first lyon-1: 1 of "
            "2 clips that are scored, 1 of 2 that are trained on; ",
        ),
        (
            [0, 1, 2],
            [5, 6, 3],
            "2 of 3 recording places of test.csv are in split100.csv too, the first paris-2: 2 of "
            "3 clips that are scored, 3 of 3 that are trained on; ",
        ),
        ([3, 4], [0, 7], "1 of 2 recording places of test.csv are in split100.csv too, the first "),
    ],
)
def test_places_in_both_lists_are_counted(tmp_path, train, test, warning):
    more = [
        ("audio/park-9.wav", "park", "paris-2", "c"),
        ("audio/bus-9.wav", "bus", "lyon-1", "c"),
        ("audio/park-8.wav", "park", "lyon-3", "c"),  # another scene of a place that is heard
    ]
    # meta.csv gives the order: paris-2 is first there.
    rows = [*ROWS, *more]
    (found,) = lists_of(write_lists(tmp_path, rows, split100=train, test=test)).warnings
    assert found.startswith(warning) and "\n" not in found


def test_evaluation_clips_that_are_trained_on_are_refused_wherever_they_lie(tmp_path):
    root = write_lists(tmp_path / "dev", ROWS, split100=[0, 1, 2], test=[3, 4], fold1_test=[4, 2])
    with pytest.raises(
        InputError, match=r"evaluation list: clips are also in split100.csv.*park-1"
    ):
        lists_of(root, root)
    (root / "audio").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "evaluation_setup").symlink_to(root / "evaluation_setup")
    (tmp_path / "linked" / "audio").symlink_to(root / "audio")
    with pytest.raises(InputError, match=r"received 1, the first .*audio/park-1\.wav"):
        lists_of(root, tmp_path / "linked")
    # The same names in a folder of its own are other clips.
    other = write_lists(tmp_path / "other", ROWS, fold1_test=[0, 1])
    assert lists_of(root, other).evaluation == ("audio/bus-1.wav", "audio/bus-2.wav")
    # To predict what is scored harms nothing.
    write_lists(root, ROWS, fold1_test=[3, 4])
    assert lists_of(root, root).evaluation == ("audio/bus-3.wav", "audio/park-2.wav")


def test_lists_at_a_url_are_held_against_each_other(tmp_path):
    root = write_lists(tmp_path, ROWS, split100=[0, 1, 2], test=[3, 4], fold1_test=[0])
    url = in_memory(root)
    corpus = read_corpus(url)
    assert read_split(corpus, 100).warnings == ()
    with pytest.raises(InputError, match=re.escape(f"the first {url}/audio/bus-1.wav")):
        read_split(corpus, 100, corpus.root)


def test_lists_of_task_1b_are_held_against_each_other(tmp_path):
    rows = [
        (f"audio/{scene}-{place}-{clip}-a.wav", label, place, "a")
        for scene, label in (("airport", "indoor"), ("park", "outdoor"), ("tram", "transportation"))
        for clip, place in enumerate(("lyon-1", "lyon-2", "oslo-3"))
    ]
    train = [at for at in range(len(rows)) if at % 3 != 2]
    root = write_lists(tmp_path, rows, fold1_train=train, fold1_evaluate=[2, 5, 8])
    assert read_lists(read_task1b(root), train=TRAIN_LIST, test=TEST_LIST).warnings == ()
    write_lists(tmp_path, rows, fold1_evaluate=[2, 4, 8])
    with pytest.raises(InputError, match=r"fold1_evaluate\.csv: clips are also in fold1_train.csv"):
        read_lists(read_task1b(root), train=TRAIN_LIST, test=TEST_LIST)


def test_the_demo_corpora_have_no_warnings(tmp_path):
    demo = write_demo_corpus(tmp_path / "mono", size=TINY)
    corpus = read_corpus(demo.development)
    for percent in tau.SPLITS:
        assert read_split(corpus, percent, demo.evaluation).warnings == ()
    stereo = write_stereo_demo_corpus(tmp_path / "stereo", size=STEREO_TINY)
    lists = read_lists(
        read_task1b(stereo.development), stereo.evaluation, train=TRAIN_LIST, test=TEST_LIST
    )
    assert lists.warnings == ()


@pytest.mark.shared
def test_the_real_clips_have_no_warnings(shared):
    corpus = read_corpus(shared / "scenes10")
    for percent in tau.SPLITS:
        assert read_split(corpus, percent).warnings == ()
