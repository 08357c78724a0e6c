"""The order of the subpackages: import-linter's contract, which `make check` checks."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.commands import ROOT


def linted(root: Path) -> subprocess.CompletedProcess[str]:
    """Returns import-linter's result for a checkout, which precedes installed modules."""
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([command, "--no-cache"], cwd=root, capture_output=True, text=True)


def test_an_import_upwards_is_refused(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("dcase_system", "recipes"):
        ignored = shutil.ignore_patterns("__pycache__", "node_modules", "built")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    kept = linted(tmp_path)
    assert kept.returncode == 0, kept.stdout
    upwards = tmp_path / "dcase_system" / "audio" / "upwards.py"
    upwards.write_text("from dcase_system.training import fit\n")
    broken = linted(tmp_path)
    assert broken.returncode != 0
    assert "dcase_system.audio.upwards -> dcase_system.training.fit" in broken.stdout


def test_every_subpackage_has_its_layer():
    layers = (ROOT / "pyproject.toml").read_text().partition("layers = [")[2]
    subpackages = {path.parent.name for path in (ROOT / "dcase_system").glob("*/__init__.py")}
    assert {one for one in subpackages if f"dcase_system.{one}" not in layers} == set()
