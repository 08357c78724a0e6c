"""Predictions of 2025: the organisers' layout, limits for each device, refusals."""

import json
import shutil

import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.corpora import tau
from dcase_system.submission.outputs import write_output
from dcase_system.submission.predictions_2025 import (
    validate_predictions_2025,
    write_predictions_2025,
)

CLIPS = tuple(f"audio/{index}.wav" for index in range(12))
LABEL = "Lind_NIS_task1_1"
S1 = {"macs": 29_982_132, "precision": "float16", "bytes": {"float16": 127_496}}


def write(folder, **costs):
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "output.csv"
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), len(CLIPS))
    write_output(output, CLIPS, probabilities, tau.SCENES, keep_folder=True)
    return write_predictions_2025(
        *(folder / "predictions", LABEL, output, costs or {"a": S1, "s10": S1}, 59.0608),
        evaluation_filenames=CLIPS,
        scenes=tau.SCENES,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write(tmp_path_factory.mktemp("predictions"))


def test_the_files_are_those_of_a_public_submission(written):
    """As in predictions/Zhang_AITHU_SJTU_task1_1, whose network is S1."""
    assert written.name == LABEL
    header, first, *rows = (written / "output.csv").read_text().splitlines()
    assert header.split("\t") == ["filename", "scene_label", *tau.SCENES]
    assert first.startswith("audio/0.wav\t") and len(rows) == len(CLIPS) - 1
    costs = {"MACs": 29_982_132, "Params": 127_496}
    assert json.loads((written / "complexity.json").read_text()) == {
        "per_device": {"a": costs, "s10": costs},
        "max_MACs": 29_982_132,
        "max_Params": 127_496,
    }
    assert json.loads((written / "test_accuracy.json").read_text()) == {"Test Accuracy": 59.06}


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"macs": 30_000_001}, r"per_device\.b\.MACs.*at most 30,000,000 MACs.*30000001"),
        ({"bytes": {"float16": 128_001}}, r"per_device\.b\.Params.*at most 128,000 bytes"),
    ],
)
def test_one_network_over_the_limits_is_refused_but_not_their_sum(tmp_path, over, message):
    write(tmp_path / "sum", **{f"s{number}": S1 for number in range(1, 10)})
    with pytest.raises(InputError, match=message):
        write(tmp_path / "one", a=S1, b=S1 | over)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("output.csv", None, "file is missing"),
        ("output.csv", "filename\tscene_label\n", "header row lacks field airport"),
        ("output.csv", b"\xff" * 50, "not UTF-8 text"),
        ("complexity.json", "{", "not JSON"),
        ("complexity.json", "{}", "required field 'per_device' is missing"),
        ("test_accuracy.json", '{"Test Accuracy": 101}', "100"),
    ],
)
def test_a_broken_file_is_named_with_its_defect(tmp_path, file, content, message):
    folder = write(tmp_path)
    if content is None:
        (folder / file).unlink()
    elif isinstance(content, bytes):
        (folder / file).write_bytes(content)
    else:
        (folder / file).write_text(content)
    errors = validate_predictions_2025(folder, evaluation_filenames=CLIPS).errors
    assert any(file in error and message in error for error in errors), errors


def test_clips_are_those_of_the_evaluation_list(written):
    errors = validate_predictions_2025(written, evaluation_filenames=CLIPS[:1]).errors
    assert "output.csv line 3 field filename: clip is not in the evaluation list" in errors[0]


def test_a_folder_is_named_by_its_label(written, tmp_path):
    renamed = shutil.copytree(written, tmp_path / "mine")
    errors = validate_predictions_2025(renamed, evaluation_filenames=CLIPS).errors
    assert "folder is not named by a submission label" in errors[0]
