"""A folder of one's own: clips that have no second each, devices with capitals, a shared place."""

import json
from pathlib import Path

import numpy as np
import pytest

from dcase_system.edge.classifier import Classifier
from tests.commands import TOY, run
from tests.corpora.lists import noisy_corpus, write_shared_place
from tests.submission.conftest import CARD

SHORT = ("0.5", ["--system=dense"], 33, "float16")
LONG = ("2", ["--system=S1", "--target_macs=28000000"], 129, "int8")


@pytest.fixture(scope="module", params=[SHORT, pytest.param(LONG, marks=pytest.mark.slow)])
def finished(request, tmp_path_factory):
    """A run to the package, its command, and what it was given."""
    seconds, system, frames, file_format = request.param
    folder = tmp_path_factory.mktemp("own")
    root = noisy_corpus(folder / "corpus", float(seconds), devices=("iPhone", "Zoom-F8"))
    write_shared_place(root)
    done = run(
        "recipes.split100",
        f"--data_dir={root}",
        f"--evaluation_dir={root / 'evaluation'}",
        f"--cache_dir={folder / 'cache'}",
        f"--output_dir={folder / 'run'}",
        f"--seconds={seconds}",
        f"--tflite_formats={file_format}",
        f"--author_card={CARD}",
        *system,
        "--nodistill",
        *TOY,
    )
    assert done.returncode == 0, done.stderr
    return folder, done, float(seconds), frames, file_format


def read(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_files_and_costs_are_of_clips_of_that_length(finished):
    folder, done, seconds, frames, file_format = finished
    run_dir, samples = folder / "run", round(seconds * 32_000)
    assert read(run_dir / "student" / "contract.json")["samples"] == samples
    assert read(run_dir / "student" / "spec.json")["input_shape"] == [256, frames]
    assert read(run_dir / "complexity.json")["clip_seconds"] == seconds
    counted = f"MACs for clips of {seconds:g} s, not 1 s"
    assert counted in done.stdout and counted in (run_dir / "report.html").read_text()
    assert f"windows of {seconds:g} s at 32,000" in (run_dir / "model_card.md").read_text()
    model = run_dir / "edge" / f"student_{file_format}_waveform.tflite"
    clip = np.zeros((1, samples), np.float32)
    assert Classifier(model).probabilities(clip).shape == (1, 2)


def test_the_package_is_valid_for_the_command_that_a_user_would_run(finished):
    folder, *_ = finished
    root, package = folder / "corpus", folder / "run" / "submission" / "task1.zip"
    folders = f"--data_dir={root}", f"--evaluation_dir={root / 'evaluation'}"
    checked = run("dcase_system.submission.validate", package, *folders)
    assert checked.returncode == 0, checked.stdout


def test_a_shared_place_is_said_once_and_stays_with_the_run(finished):
    folder, done, *_ = finished
    said = "1 of 4 recording places of test.csv are in split100.csv too, the first lyon-bus3: "
    assert (done.stdout + done.stderr).count(said) == 1
    (warning,) = read(folder / "run" / "config.json")["settings"]["warnings"]
    assert said in warning
    for name in ("report.html", "model_card.md"):
        text = (folder / "run" / name).read_text(encoding="utf-8").replace("\\", "")
        assert text.count(said) == 1, name


@pytest.mark.slow
def test_a_student_learns_from_teachers_of_such_clips(tmp_path):
    root = noisy_corpus(tmp_path / "corpus", 2.0)
    clips = f"--data_dir={root}", "--seconds=2", f"--cache_dir={tmp_path / 'cache'}", *TOY
    members = "--members=cp_mobile,passt_tiny"
    taught = f"--output_dir={tmp_path / 'teachers'}"
    done = run("recipes.teachers", *clips, "--split=100", members, taught)
    assert done.returncode == 0, done.stderr
    done = run(
        "recipes.split100",
        *clips,
        f"--teachers={tmp_path / 'teachers'}",
        "--system=dense",
        "--tflite_formats=int8",
        "--qat_epochs=1",
        f"--output_dir={tmp_path / 'run'}",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("recipe", "given"),
    [
        ("split100", []),
        ("teachers", ["--split=100", "--members=cp_mobile"]),
        ("magnitude", ["--split=100"]),
    ],
)
def test_another_length_than_the_flag_says_ends_in_one_line(tmp_path, recipe, given):
    root = noisy_corpus(tmp_path / "corpus", 0.5)
    done = run(
        f"recipes.{recipe}",
        f"--data_dir={root}",
        f"--cache_dir={tmp_path / 'cache'}",
        f"--output_dir={tmp_path / 'run'}",
        *TOY,
        *(argument.format(root=root) for argument in given),
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "clip length differs from --seconds; expected 1 s; received 0.5 s; give "
        "--seconds=0.5 if all are that long"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("recipe", "given"),
    [
        ("split100", ["--system=dense"]),
        ("challenge_package", ["--splits=100", "--systems=dense", "--nodistill"]),
    ],
)
def test_a_network_that_no_package_takes_is_refused_before_training(tmp_path, recipe, given):
    root = noisy_corpus(tmp_path / "corpus", 2.0)
    done = run(
        f"recipes.{recipe}",
        f"--data_dir={root}",
        f"--evaluation_dir={root / 'evaluation'}",
        f"--cache_dir={tmp_path / 'cache'}",
        f"--output_dir={tmp_path / 'run'}",
        "--seconds=2",
        f"--author_card={CARD}",
        *TOY,
        *given,
        published=True,
    )
    assert done.returncode == 1
    assert "would be over the limits of a package, for clips of 2 s" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "run").exists() and not (tmp_path / "cache").exists()
