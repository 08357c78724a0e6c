"""`python -m dcase_system.reporting` and the files it writes."""

import pytest

from dcase_system.reporting.content import Picture, Table
from dcase_system.reporting.report import page_of
from tests.commands import run
from tests.reporting.runs import write_run


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run"))


def test_one_run_is_reported_anew_and_given_as_files(student, tmp_path):
    done = run("dcase_system.reporting", student, f"--output_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert (student / "report.html").is_file()
    page = page_of(student)
    for table in page.blocks(Table):
        for suffix in (".tex", ".md", ".csv"):
            assert (tmp_path / "tables" / (table.name + suffix)).stat().st_size
    for picture in page.blocks(Picture):
        assert (tmp_path / "figures" / f"{picture.name}.pdf").read_bytes().startswith(b"%PDF")
        assert b"<svg" in (tmp_path / "figures" / f"{picture.name}.svg").read_bytes()


def test_several_runs_are_compared_in_80_columns(student, tmp_path):
    other = write_run(tmp_path / "other", 0.9, seed=4)
    done = run("dcase_system.reporting", student, other)
    assert done.returncode == 0, done.stderr
    assert "Difference to the first run" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("given", [[], ["--output_dir=x"], ["nowhere"]])
def test_what_is_no_run_ends_in_one_line(given, tmp_path):
    done = run("dcase_system.reporting", *(tmp_path / x if x == "nowhere" else x for x in given))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
