"""The project of a model, built and run on this computer."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import ai_edge_litert
import numpy as np
import pytest

from dcase_system.edge.card import read_card
from dcase_system.edge.classifier import Classifier
from dcase_system.edge.device.project import write_project
from dcase_system.edge.quantisation import quantise
from dcase_system.edge.tflite_model import TFLiteModel
from tests.edge.device.compiled import STRICT

LITERT = Path(next(iter(ai_edge_litert.__path__)))
pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("make") is None,
    reason="gcc and make are not installed",
)
needs_litert = pytest.mark.skipif(
    not (LITERT / "libLiteRt.so").is_file(), reason="ai-edge-litert has no C library here"
)
CLIPS = 12


@pytest.fixture(scope="module")
def model(exported):
    return exported / "student_int8.tflite"


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    write_project(model, read_card(model).signature, folder)
    return folder


def built(folder: Path, *options: str) -> Path:
    flags = f"CFLAGS=-O1 {' '.join(STRICT)}"
    subprocess.run(["make", "-s", "-C", str(folder), flags, *options], check=True)
    return folder / "classify"


def run(program: Path, *arguments: str, samples: np.ndarray) -> subprocess.CompletedProcess:
    command, taken = [program, *arguments], samples.astype("<i2").tobytes()
    return subprocess.run(command, input=taken, capture_output=True, check=False)


def columns(printed: bytes) -> np.ndarray:
    """Features (clips, bands, frames, 1) from lines of one column."""
    lines = np.array([line.split() for line in printed.decode().splitlines()], np.float32)
    return lines.reshape(-1, 41, 32).transpose(0, 2, 1)[..., None]


@pytest.mark.parametrize("options", [(), ("FLOAT=1",)], ids=["integer", "float"])
def test_the_program_prints_the_features_of_the_layer(folder, model, signature, waveforms, options):
    samples = np.asarray(waveforms.samples[:CLIPS])
    done = run(built(folder, *options), "--features", samples=np.append(samples, [1, 2, 3]))
    assert done.stderr == b"last 3 samples not classified\n" and done.returncode == 0
    layer = np.asarray(signature.features(waveforms.gather(np.arange(CLIPS))))
    if options:
        np.testing.assert_allclose(columns(done.stdout), layer, atol=1e-4)
    else:
        steps = columns(done.stdout) - quantise(layer, TFLiteModel(model).input)
        assert np.abs(steps).max() <= 1 and np.mean(steps == 0) > 0.99


@needs_litert
@pytest.mark.parametrize("options", [(), ("FLOAT=1",)], ids=["integer", "float"])
def test_the_program_classifies_as_python_does(folder, model, signature, waveforms, options):
    samples = np.asarray(waveforms.samples[:CLIPS])
    done = run(built(folder, f"LITERT={LITERT}", *options), samples=samples)
    assert done.returncode == 0, done.stderr
    starts, labels, *rows = np.array([line.split() for line in done.stdout.decode().splitlines()]).T
    assert [float(start) for start in starts] == list(range(CLIPS))
    expected = Classifier(model).probabilities(waveforms.gather(np.arange(CLIPS)))
    found = np.array(rows, float).T
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert list(labels) == [signature.labels[at] for at in found.argmax(axis=1)]


@needs_litert
def test_below_the_threshold_of_the_model_the_program_answers_unknown(
    folder, model, signature, waveforms, tmp_path
):
    """The same program with the threshold between the sixth and seventh surest of twelve clips."""
    probabilities = Classifier(model).probabilities(waveforms.gather(np.arange(CLIPS)))
    surest = np.sort(probabilities.max(axis=1))
    threshold = float(surest[5:7].mean())
    write_project(model, replace(signature, rejection_threshold=threshold), tmp_path)
    samples = np.asarray(waveforms.samples[:CLIPS])
    program = built(tmp_path, f"LITERT={LITERT}")
    answers, rejecting = (
        [
            line.split()
            for line in run(program, *flags, samples=samples).stdout.decode().splitlines()
        ]
        for flags in ((), ("--reject",))
    )
    for plain, line in zip(answers, rejecting, strict=True):
        rejected = max(map(float, line[2:])) < threshold
        assert line == [plain[0], "unknown" if rejected else plain[1], *plain[2:]]
    assert 0 < sum(line[1] == "unknown" for line in rejecting) < CLIPS
    done = run(built(folder, f"LITERT={LITERT}"), "--reject", samples=samples)
    assert done.returncode == 2 and b"this model has no threshold" in done.stderr


def test_too_few_samples_and_unknown_arguments_are_refused_in_a_line(folder):
    program = built(folder)
    for arguments, samples, message in (
        (
            ("--features",),
            100,
            b"standard input has 100 samples; a window of this model needs 8000",
        ),
        (("--features",), 0, b"standard input has 0 samples"),
        (("--file",), 0, b"unknown argument; expected --features, --reject or nothing"),
        ((), 8_000, b"built without a runtime; use --features, or make LITERT=FOLDER"),
    ):
        done = run(program, *arguments, samples=np.zeros(samples))
        assert done.returncode != 0 and message in done.stderr and done.stderr.count(b"\n") == 1


def test_readme_and_operators_are_those_of_the_model(folder):
    readme, operators = ((folder / name).read_text() for name in ("README.md", "operators.h"))
    registered = re.findall(r"operators\.(\w+)\(\)", operators)
    assert {"AddConv2D", "AddDepthwiseConv2D", "AddMean"} <= set(registered)
    assert all(f"`{method}`" in readme for method in registered)
    assert "windows of 8,000 samples" in readme and "{" not in readme
