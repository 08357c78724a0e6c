"""Clips that have no second each, from the command to the package, and the files on their own."""

import json

import numpy as np
import pytest

from dcase_system.edge.classifier import Classifier
from tests.commands import TOY, run
from tests.corpora.lists import noisy_corpus

SHORT = ("0.5", ["--system=dense"], 33, "float16")
LONG = ("2", ["--system=S1", "--target_macs=28000000"], 129, "int8")


@pytest.mark.parametrize(
    ("seconds", "system", "frames", "file_format"),
    [SHORT, pytest.param(*LONG, marks=pytest.mark.slow)],
)
def test_a_run_on_such_clips_ends_in_a_package(tmp_path, seconds, system, frames, file_format):
    root = noisy_corpus(tmp_path / "corpus", float(seconds))
    folders = f"--data_dir={root}", f"--evaluation_dir={root / 'evaluation'}"
    run_dir = tmp_path / "run"
    flags = *system, f"--tflite_formats={file_format}", *TOY, f"--cache_dir={tmp_path / 'cache'}"
    done = run(
        "recipes.split100", *folders, *flags, f"--seconds={seconds}", f"--output_dir={run_dir}"
    )
    assert done.returncode == 0, done.stderr
    samples = round(float(seconds) * 32_000)
    assert json.loads((run_dir / "student" / "contract.json").read_text())["samples"] == samples
    assert json.loads((run_dir / "student" / "spec.json").read_text())["input_shape"] == [
        256,
        frames,
    ]
    complexity = json.loads((run_dir / "complexity.json").read_text())
    assert complexity["clip_seconds"] == float(seconds)
    counted = f"MACs for clips of {seconds} s, not 1 s"
    assert counted in done.stdout and counted in (run_dir / "report.html").read_text()
    assert f"windows of {seconds} s at 32,000" in (run_dir / "model_card.md").read_text()
    model = run_dir / "edge" / f"student_{file_format}_waveform.tflite"
    clip = np.zeros((1, samples), np.float32)
    assert Classifier(model).probabilities(clip).shape == (1, 2)
    package = run_dir / "submission" / "task1.zip"
    checked = run("dcase_system.submission.validate", package, *folders)
    assert checked.returncode == 0, checked.stdout


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
        "--tflite_formats=int8",
        "--qat_epochs=1",
        f"--output_dir={tmp_path / 'run'}",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("recipe", "given"),
    [
        ("split100", ["--evaluation_dir={root}/evaluation"]),
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
        "clips are not as long as --seconds says; expected 1 s; received 0.5 s; give "
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
        *TOY,
        *given,
    )
    assert done.returncode == 1
    assert "would be over the limits of a package, for clips of 2 s" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "run").exists() and not (tmp_path / "cache").exists()
