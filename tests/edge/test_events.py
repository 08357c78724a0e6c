import pytest

from dcase_system.core.errors import InputError
from dcase_system.edge.events import Event, read_events

LABELS = "bell", "dog"
HEADER = "onset\toffset\tevent_label\n"


def listed(tmp_path, text, recordings=("a/one.wav",)):
    path = tmp_path / "events.tsv"
    path.write_text(text)
    return read_events(path, recordings, LABELS)


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_events_are_sorted_by_onset(tmp_path, delimiter):
    text = (HEADER + "3\t4.5\tdog\n0.5\t1\tbell\n").replace("\t", delimiter)
    assert listed(tmp_path, text) == {
        "a/one.wav": [Event(0.5, 1.0, "bell"), Event(3.0, 4.5, "dog")]
    }


def test_a_filename_is_the_end_of_a_path_and_alone_means_no_events(tmp_path):
    header = "filename\t" + HEADER
    found = listed(
        tmp_path, header + "b/one.wav\t1\t2\tdog\ntwo.wav\t\t\t\n", ["a/b/one.wav", "two.wav"]
    )
    assert found == {"a/b/one.wav": [Event(1.0, 2.0, "dog")], "two.wav": []}
    assert listed(tmp_path, HEADER) == {"a/one.wav": []}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("2\t1\tdog\n", "line 2: onset and offset are no stretch; expected 0 <= onset < offset"),
        ("-1\t1\tdog\n", "received -1 to 1"),
        ("1\tnan\tdog\n", "received 1 to nan"),
        ("1\t\tdog\n", "onset and offset are no stretch"),
        (
            "1\t2\tdog\n1\t2\tcat\n",
            "line 3: class that the model does not have; expected bell, dog",
        ),
        ("1\t2\n", "row has the wrong number of fields; expected 3; received 2"),
    ],
)
def test_what_is_no_event_is_refused_with_its_line(tmp_path, rows, message):
    with pytest.raises(InputError, match=message) as refused:
        listed(tmp_path, HEADER + rows)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "recordings", "message"),
    [
        ("", ["one.wav"], "wrong columns.*received an empty file"),
        ("start\tend\tlabel\n", ["one.wav"], "expected onset, offset, event_label, and filename"),
        (HEADER + "1\t2\tdog\n", ["one.wav", "two.wav"], "received no column filename"),
        (
            "filename\t" + HEADER + "one.wav\t1\t2\tdog\n",
            ["one.wav", "two.wav"],
            "two.wav: recording is in no row",
        ),
        (
            "filename\t" + HEADER + "one.wav\t1\t2\tdog\n",
            ["a/one.wav", "b/one.wav"],
            "event of several recordings",
        ),
    ],
)
def test_lists_of_other_recordings_or_columns_are_refused(tmp_path, text, recordings, message):
    with pytest.raises(InputError, match=message):
        listed(tmp_path, text, recordings)


def test_a_missing_list_is_refused(tmp_path):
    with pytest.raises(InputError, match="list of events cannot be read"):
        read_events(tmp_path / "none.tsv", ["one.wav"], LABELS)
