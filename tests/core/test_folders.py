"""Folders that are files, or empty."""

import pytest

from dcase_system.core.errors import InputError
from dcase_system.core.folders import is_empty, refuse_file
from dcase_system.core.locations import as_location
from tests.locations import in_memory

SUFFIXES = {".wav", ".flac"}


@pytest.mark.parametrize("where", [".", "deep", "deep/er"])
def test_a_file_in_place_of_a_folder_or_above_it_is_refused(tmp_path, where):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError) as caught:
        refuse_file(tmp_path / "file" / where)
    assert str(caught.value) == f"{tmp_path}/file: is a file; expected a folder"


def test_a_file_at_a_url_is_no_folder_either(tmp_path):
    (tmp_path / "meta.csv").write_text("x")
    url = in_memory(tmp_path)
    with pytest.raises(InputError, match=r"meta\.csv: is a file; expected a folder"):
        refuse_file(as_location(f"{url}/meta.csv"))
    refuse_file(as_location(url))


def test_folders_that_exist_or_may_be_made_are_not_refused(tmp_path):
    for name in (".", "new", "new/er"):
        refuse_file(tmp_path / name)


def test_hidden_files_alone_leave_a_folder_empty(tmp_path):
    (tmp_path / "._clip.wav").touch()
    assert is_empty(tmp_path, SUFFIXES)
    assert is_empty(as_location(in_memory(tmp_path)), SUFFIXES)
    (tmp_path / "clip.wav").touch()
    assert not is_empty(tmp_path, SUFFIXES)
    assert not is_empty(as_location(in_memory(tmp_path)), SUFFIXES)
