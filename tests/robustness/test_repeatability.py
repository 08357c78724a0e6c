"""The same seed gives the same bytes, another seed another result; reports name the seed."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from dcase_system import runs
from dcase_system.corpora.demo import TINY, write_demo_corpus
from dcase_system.reporting.provenance import provenance_text
from dcase_system.runs import provenance
from tests.commands import ALONE, on_tiny
from tests.robustness.runs import killed_until_done, results


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags",
    [["--system=S1", "--nodistill", "--epochs=3"], [*ALONE, "--validation_fraction=0.3"]],
    ids=["S1", "dense"],
)
def test_one_seed_repeats_to_the_byte_and_another_does_not(tmp_path, flags):
    write_demo_corpus(tmp_path / "demo", size=TINY)
    found = {}
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        given = [*on_tiny(tmp_path), *flags, f"--seed={seed}", f"--output_dir={tmp_path / name}"]
        generator = np.random.default_rng(0)
        killed_until_done(
            "recipes.split5", given, tmp_path / "e", generator, kills=0, longest_seconds=1
        )
        found[name] = results(tmp_path / name)
    assert found["one"] == found["again"]
    differ = {name for name in found["one"] if found["one"][name] != found["other"].get(name)}
    assert {"dev_test/predictions.csv", "edge/student_float16.tflite"} <= differ


def _git(folder, *arguments):
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_report_states_seed_versions_commit_and_changes(tmp_path, monkeypatch):
    checkout, run = tmp_path / "checkout", tmp_path / "run"
    (checkout / "dcase_system").mkdir(parents=True)
    shutil.copy(provenance.__file__, checkout / "dcase_system" / "runs.py")
    _git(checkout, "init", "-q")
    _git(checkout, "add", ".")
    _git(checkout, "commit", "-q", "-m", "x")
    commit = _git(checkout, "rev-parse", "HEAD")
    monkeypatch.setattr(provenance, "__file__", str(checkout / "dcase_system" / "runs.py"))
    settings = {"kind": "split", "plan": {"seed": 7, "final": {"seed": 9}}}
    (checkout / "RUN").mkdir()
    (checkout / "RUN" / "config.json").touch()  # results in the checkout are no changes
    with runs.begun(run, settings):
        pass
    stated = " ".join(provenance_text(run).split())
    assert stated.startswith(f"seed 7; commit {commit}; python 3.")
    assert "tensorflow 2." in stated and "keras 3." in stated
    (checkout / "dcase_system" / "new.py").touch()
    with runs.begun(run, settings):
        pass
    assert f"commit {commit}, changed since;" in " ".join(provenance_text(run).split())
    assert json.loads((run / "config.json").read_text())["code"]["dirty"] is True


@pytest.mark.parametrize("content", ["", "{}", '{"code": 1, "versions": 2}', "[" * 100_000])
def test_a_configuration_of_something_else_is_named(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    assert provenance_text(tmp_path).startswith("No record of the run's provenance: config.json is")
