"""`make install` takes a Python that the tests run on, or ends before pip is asked."""

import re
import subprocess
import sys

import pytest

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
    (line,) = re.findall(r"^SUPPORTED := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    metadata = (ROOT / "pyproject.toml").read_text()
    stated = re.findall(r"Python :: (3\.\d+)", metadata)
    assert sorted(line.split()) == sorted(stated)
    assert 'requires-python = ">=3.11,<3.14"' in metadata
