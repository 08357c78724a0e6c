import errno
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint, locked, replacing, replacing_directory, write_json


def test_a_failed_write_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("before")
    with pytest.raises(OSError, match="full"), replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError("full")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path):
    with pytest.raises(OSError, match="No space left") as caught, replacing(tmp_path / "file.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "file.txt")


def test_a_failed_directory_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "kept").touch()
    with pytest.raises(KeyboardInterrupt), replacing_directory(path) as temporary:
        (temporary / "new").touch()
        raise KeyboardInterrupt
    assert [entry.name for entry in path.iterdir()] == ["kept"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_is_replaced_whole(tmp_path):
    path = tmp_path / "folder"
    for name in ("first", "second"):
        with replacing_directory(path) as temporary:
            (temporary / name).touch()
    assert [entry.name for entry in path.iterdir()] == ["second"]


def test_written_files_follow_the_umask(tmp_path):
    write_json(tmp_path / "value.json", {"a": 1})
    plain = tmp_path / "plain"
    plain.touch()
    assert (tmp_path / "value.json").stat().st_mode == plain.stat().st_mode
    assert json.loads((tmp_path / "value.json").read_text()) == {"a": 1}


@given(st.dictionaries(st.text(), st.integers()))
def test_fingerprint_does_not_depend_on_the_order_of_keys(values):
    assert fingerprint(values) == fingerprint(dict(reversed(values.items())))


def test_fingerprint_tells_values_apart():
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})


def test_a_lock_is_seen_by_another_holder_and_goes_away(tmp_path):
    def refuse():
        raise InputError("taken", where=tmp_path)

    with (
        locked(tmp_path / "lock", refuse),
        pytest.raises(InputError),
        locked(tmp_path / "lock", refuse),
    ):
        pass
    with locked(tmp_path / "lock", refuse):
        pass
