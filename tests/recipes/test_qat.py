"""The flag that trains int8 files with their roundings."""

import json

import pytest

from dcase_system.edge.card import read_card
from tests.commands import ALONE, FLOAT16, on_tiny, run, tiny_clips

INT8 = "--tflite_formats=int8"


@pytest.mark.slow
def test_a_split_recipe_leaves_trained_int8_files(place):
    out = place / "aware"
    given = [*on_tiny(place), *ALONE, INT8, "--qat_epochs=1", f"--output_dir={out}"]
    done = run("recipes.split5", *given)
    assert done.returncode == 0, done.stderr
    assert "tflite_int8_waveform" in done.stdout
    assert json.loads((out / "config.json").read_text())["settings"]["aware"]["epochs"] == 1
    assert read_card(out / "edge" / "student_int8_waveform.tflite").quantised == "aware"
    stamp = (out / "aware" / "stage.json").stat().st_mtime_ns
    assert run("recipes.split5", *given).returncode == 0
    assert (out / "aware" / "stage.json").stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        ("magnitude", [INT8], "error: Unknown command line flag 'qat_epochs'"),
        ("split5", [FLOAT16], "--qat_epochs trains int8 files: expected int8 in --tflite_formats"),
    ],
)
def test_it_is_refused_where_there_is_nothing_to_train(place, recipe, arguments, message):
    out = place / "refused"
    given = [*tiny_clips(place), *arguments, "--qat_epochs=1", f"--output_dir={out}"]
    done = run(f"recipes.{recipe}", *given)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()
