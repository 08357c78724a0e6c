"""The table of files, and the notes on surprising sizes."""

import json
import shutil

import pytest

from dcase_system.reporting.content import Note
from dcase_system.reporting.report import page_of, write_report
from tests.reporting.runs import write_run
from tests.reporting.tracing import traced

PARAMETERS = 64_875  # bytes at int8 of the network in `runs.complexity`


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run"))


def notes(whole, folder, **sizes):
    """Notes beside the table of a run with files of these sizes."""
    run = shutil.copytree(whole, folder / "run")
    path = run / "dev_test/scores.json"
    scores = json.loads(path.read_text())
    scores["forms"]["tflite_dynamic"] = scores["forms"]["tflite_int8"]
    path.write_text(json.dumps(scores))
    for name, size in sizes.items():
        (run / f"edge/student_{name}.json").write_text(json.dumps({"bytes": size}))
    assert traced(write_report(run).read_text(), run) > 300
    (section,) = (one for one in page_of(run).sections if one.title == "Files for devices")
    return " ".join(block.text for block in section.blocks if isinstance(block, Note))


def test_an_int8_file_larger_than_the_dynamic_one_is_explained(whole, tmp_path):
    text = notes(whole, tmp_path, int8=2_000, dynamic=1_000)
    assert "tflite_int8 is larger than tflite_dynamic (1,000 bytes): it has a scale" in text


def test_an_int8_file_larger_than_its_parameters_is_explained(whole, tmp_path):
    text = notes(whole, tmp_path, int8=PARAMETERS + 1, dynamic=PARAMETERS + 2)
    assert "tflite_int8 has 64,876 bytes, its parameters alone 64,875: a .tflite file" in text
    assert "larger than tflite_dynamic" not in text


def test_files_that_do_not_surprise_are_not_explained(whole, tmp_path):
    text = notes(whole, tmp_path, int8=PARAMETERS, dynamic=PARAMETERS)
    assert "tflite_int8" not in text


def test_the_interval_and_the_chance_level_stand_beside_the_accuracies(whole, tmp_path):
    text = notes(whole, tmp_path)
    assert "Submitted variant: 95 % interval " in text
    assert "chance level 10.0 % (10 classes)." in text
