"""Commands: one-line errors of the operating system, and how often they collect garbage."""

import subprocess
import sys

import pytest

from dcase_system.core import cli
from tests.commands import ROOT, TOY, run
from tests.corpora.lists import noisy_corpus

PART = "--parts=split5"


@pytest.mark.parametrize("below", ["", "/new", "/new/er"])
def test_a_file_in_place_of_a_folder_is_named(tmp_path, below):
    (tmp_path / "file").write_text("x")
    given = f"--directory={tmp_path}/file{below}"
    done = run("dcase_system.corpora.download", given, PART)
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path}/file: is a file; expected a folder\n"


SPLIT = ["recipes.split100", "--data_dir={corpus}", "--seconds=0.5", "--nodistill", *TOY]
CACHE, RUN = "--cache_dir={new}/cache", "--output_dir={new}/run"
EXPORT = "dcase_system.edge.export"


@pytest.mark.parametrize(
    "command",
    [
        [*SPLIT, CACHE, "--output_dir={file}"],
        [*SPLIT, CACHE, "--output_dir={file}", "--overwrite"],
        [*SPLIT, CACHE, "--output_dir={file}/run"],
        [*SPLIT, CACHE, RUN, "--impulse_responses={file}"],
        [*SPLIT, CACHE, RUN, "--distill", "--teachers={file}"],
        [*SPLIT, "--cache_dir={file}", RUN],
        ["recipes.split100", CACHE, RUN, "--data_dir={file}"],
        ["dcase_system.audio.ingest", CACHE, "--data_dir={corpus}", "--evaluation_dir={file}"],
        ["dcase_system.reporting", "{file}"],
        [EXPORT, "{file}", "--output_dir={new}", "--clips_dir={corpus}"],
        [EXPORT, "{corpus}", "--output_dir={file}", "--clips_dir={corpus}"],
    ],
    ids=" ".join,
)
def test_every_flag_for_a_folder_refuses_a_file_before_any_work(tmp_path, command):
    (tmp_path / "file").write_text("x")
    noisy_corpus(tmp_path / "corpus", 0.5)
    places = {name: tmp_path / name for name in ("file", "corpus", "new")}
    done = run(*(argument.format(**places) for argument in command))
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert last == f"error: {tmp_path}/file: is a file; expected a folder"
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "file").read_text() == "x"


def test_other_reasons_of_the_system_are_as_it_says_them(tmp_path):
    done = run("dcase_system.corpora.download", "--directory=/proc/none", PART)
    assert done.returncode == 1
    assert done.stderr.startswith("error: /proc/none")
    assert "is a file" not in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_temporary_file_is_named_by_its_folder():
    error = PermissionError(13, "Permission denied", "/locked/.partial-x.json")
    assert cli._reason(error) == "/locked: Permission denied"


def test_a_command_collects_garbage_less_often_than_python_does():
    """A collection visits every object of TensorFlow; Python's default is one for 700 new."""
    code = (
        "import gc; from dcase_system.core import cli; "
        "cli.run(lambda argv: print(gc.get_threshold()[0]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{cli._GC_OBJECTS}\n", done.stderr
