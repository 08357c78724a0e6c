"""The card of an exported network."""

import json
import shutil

import pytest

from dcase_system.reporting.model_card import write_model_card
from tests.reporting.runs import SCENES, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run"))


def test_it_says_what_goes_in_what_comes_out_and_how_well(run):
    text = " ".join(write_model_card(run).read_text().split())
    assert "windows of 1 s at 32,000 samples a second, 1 channel." in text
    assert ", ".join(SCENES) in text
    int8 = "int8, scale 0.0471, zero point -3 | after training, 200 clips"
    row = f"| student_int8.tflite | int8 | features | {int8} | 1.14.0 | 138,352 | abab"
    assert row in text
    assert (
        "| student_float16.tflite | float16 | features | float32 | – | 1.14.0 | 149,036 | abab"
        in text
    )
    assert "Output: a logit for each of:" in text
    assert "not probabilities: softmax over the labels gives probabilities that sum to 1. " in text
    assert "a logit is scale * (stored value - zero point), with the numbers in the table." in text
    assert "| keras_float16 * |" in text and "| unseen |" in text
    network = "S2 (network sscp_mobile_96, pruned)"
    assert f"{network}, split25, with teachers, seed 3; commit c0ffee." in text
    assert "Submitted variant: 95 % interval " in text and "chance level 10.0 %" in text


def test_of_files_alone_it_says_that_they_were_not_measured(run, tmp_path):
    for path in (run / "edge").glob("*.json"):
        shutil.copy(path, tmp_path)
    text = write_model_card(tmp_path, edge="").read_text()
    assert "Not measured with these files." in text and "student_float16.tflite" in text


def test_text_of_the_data_is_text_of_markdown(tmp_path):
    write_run(tmp_path, scenes=("<b>x</b>", "a|b", "[c](http://x)"))
    text = write_model_card(tmp_path).read_text()
    assert "<b>" not in text and "](http" not in text and "a\\|b" in text


@pytest.mark.parametrize("broken", ["output", "type", "meaning"])
def test_a_card_without_its_output_is_no_fault(tmp_path, broken):
    write_run(tmp_path)
    for path in (tmp_path / "edge").glob("*.json"):
        card = json.loads(path.read_text())
        (card if broken == "output" else card["output"]).pop(broken)
        path.write_text(json.dumps(card))
    text = write_model_card(tmp_path).read_text()
    assert "Output: a logit for each of:" in text
    assert ("softmax" in text) == (broken == "type")


def test_an_empty_folder_has_a_card_that_says_so(tmp_path):
    assert "no classes are known" in write_model_card(tmp_path).read_text()
