"""`make install` takes a Python that the tests run on, or ends before pip is asked."""

import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from dcase_system import doctor
from tests.commands import ROOT


@pytest.mark.parametrize("version", ["3.10", "3.14"])
def test_an_unsupported_python_is_refused_in_one_line(tmp_path, version):
    major, minor = version.split(".")
    pretended = tmp_path / "python"
    code = f"import sys; sys.version_info = ({major}, {minor}, 0); exec(sys.argv[1])"
    pretended.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{code}' \"$2\"\n")
    pretended.chmod(0o755)
    done = subprocess.run(
        ["make", "install", f"PYTHON={pretended}", f"VENV={tmp_path / 'venv'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    line, of_make = done.stderr.splitlines()
    assert line.startswith(f"error: Python {version} is not supported; expected one of 3.13, 3.12")
    assert "*** [Makefile:" in of_make  # "make: ***", or "make[1]: ***" where make runs the tests
    assert not (tmp_path / "venv").exists()


def test_supported_versions_are_those_of_the_package():
    """`make` reads them from the classifiers; the doctor is installed without pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    stated = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    shown = subprocess.run(
        ["make", "--no-print-directory", "--eval=shown: ; @echo $(SUPPORTED)", "shown"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == stated[::-1]
    allowed = SpecifierSet(project["requires-python"])
    assert [one for one in ("3.10", *stated, "3.14") if one in allowed] == stated
    tested = {f"{major}.{minor}": row for (major, minor), row in doctor._ROWS.items()}
    assert list(tested) == stated
    for needed in map(Requirement, project["dependencies"]):
        for python, row in tested.items():
            if needed.name == "tensorflow" and needed.marker.evaluate({"python_version": python}):
                major, minor = map(int, row.split("."))
                assert f"{row}.9" in needed.specifier
                assert f"{major}.{minor + 1}" not in needed.specifier
