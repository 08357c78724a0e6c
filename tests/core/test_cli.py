"""What the system refuses, as one line."""

import pytest

from tests.commands import run

PART = "--parts=split5"


@pytest.mark.parametrize("below", ["", "/new", "/new/er"])
def test_a_file_in_place_of_a_folder_is_named(tmp_path, below):
    (tmp_path / "file").write_text("x")
    given = f"--directory={tmp_path}/file{below}"
    done = run("dcase_system.corpora.download", given, PART)
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path}/file: is a file; expected a folder\n"


def test_other_reasons_of_the_system_are_as_it_says_them(tmp_path):
    done = run("dcase_system.corpora.download", "--directory=/proc/none", PART)
    assert done.returncode == 1
    assert done.stderr.startswith("error: /proc/none")
    assert "is a file" not in done.stderr and len(done.stderr.splitlines()) == 1
