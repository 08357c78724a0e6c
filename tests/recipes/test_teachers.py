"""The teachers' recipe and students that are given its folder, as commands."""

import json

import numpy as np
import pytest
import yaml
from scipy.io import wavfile

from tests.commands import TOY, on_tiny, run, tiny_clips, too_wide
from tests.reporting.tracing import traced


@pytest.fixture(scope="module")
def responses(place):
    folder = place / "impulse_responses"
    folder.mkdir()
    wavfile.write(folder / "microphone.wav", 32_000, np.float32([0.9, 0.3, -0.1]))
    return folder


@pytest.fixture(scope="module")
def teachers(place, responses):
    done = run(
        "recipes.teachers",
        *tiny_clips(place),
        *TOY,
        "--split=25",
        "--members=cp_mobile,passt_tiny",
        f"--impulse_responses={responses}",
        f"--output_dir={place / 'teachers' / 'split_25'}",
    )
    assert done.returncode == 0, done.stderr
    return done


def test_the_teachers_recipe_ends_with_a_table_of_its_members(teachers, place):
    lines = [line.split()[0] for line in teachers.stdout.splitlines() if line]
    assert lines[:5] == ["On", "teacher", "1-cp_mobile", "2-passt_tiny", "ensemble"]
    assert too_wide(teachers) == []
    folder = place / "teachers" / "split_25"
    assert (folder / "ensemble.json").is_file()
    assert traced((folder / "report.html").read_text(), folder) > 20


def test_a_student_learns_from_teachers_and_says_so(teachers, place, responses):
    done = run(
        "recipes.split25",
        *on_tiny(place),
        "--system=dense",
        "--teaching=consistent",
        "--average=probabilities",
        f"--teachers={place / 'teachers' / 'split_25'}",
        f"--impulse_responses={responses}",
        f"--output_dir={place / 'taught'}",
    )
    assert done.returncode == 0, done.stderr
    plan = json.loads((place / "taught" / "config.json").read_text())["settings"]["plan"]
    assert (plan["teaching"], plan["average"]) == ("consistent", "probabilities")
    (meta,) = (place / "taught" / "submission").rglob("*.meta.yaml")
    description = yaml.safe_load(meta.read_text())["system"]["description"]
    assert "knowledge distillation" in description["complexity_management"]
    assert "knowledge distillation" in description["pipeline"]
    assert "dir augmentation" in description["data_augmentation"]
    assert description["external_data_usage"] == "dataset"
    assert "uses external data (dataset), but the author card lists none" in done.stderr
    assert too_wide(done) == []
    page = (place / "taught" / "report.html").read_text()
    assert traced(page, place / "taught") > 100 and 'id="teachers_dev_test"' in page


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        ("split5", ["--teachers={place}/teachers/split_25"], "teacher trained on another split"),
        ("split25", ["--teachers={place}/cache"], "not a folder of finished teachers"),
        ("split25", ["--impulse_responses={place}/cache"], "no impulse responses; expected"),
        ("teachers", ["--members=resnet"], "unknown architecture; expected cp_mobile |"),
        ("teachers", ["--members=nowhere.json"], "spec cannot be read"),
        ("teachers", ["--members=cp_mobile", "--initial_weights=a,b"], "more initial weights than"),
        ("teachers", ["--members=cp_mobile", "--initial_weights=nowhere"], "no weights (No such"),
        ("teachers", ["--members=cp_mobile", "--only=2"], "no such member; expected 1 to 1"),
        ("teachers", ["--members=cnn10"], "front end does not fit the network; expected 64 mel"),
    ],
)
def test_teachers_that_do_not_fit_end_in_one_line(teachers, place, recipe, arguments, message):
    given = [argument.format(place=place) for argument in arguments]
    done = run(
        f"recipes.{recipe}", *tiny_clips(place), *TOY, f"--output_dir={place / 'refused'}", *given
    )
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not list((place / "refused").glob("*/network"))


@pytest.mark.slow
def test_the_package_trains_its_teachers_and_a_pruned_system(place):
    done = run(
        "recipes.challenge_package",
        *on_tiny(place),
        "--systems=S1",
        "--members=cp_mobile",
        "--teacher_epochs=1",
        "--baseline",
        f"--output_dir={place / 'package'}",
    )
    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines() if line} >= {"S1", "baseline"}
    assert (place / "package" / "teachers" / "split_5" / "ensemble.json").is_file()
    assert (place / "package" / "results.json").is_file()
    assert too_wide(done) == []
    assert traced((place / "package" / "report.html").read_text(), place / "package") > 10
    pruned = place / "package" / "S1" / "split_100"
    page = (pruned / "report.html").read_text()
    assert traced(page, pruned) > 100 and 'id="figure-pruning"' in page
    for system, taught in (("S1", True), ("baseline", False)):
        config = (place / "package" / system / "split_5" / "config.json").read_text()
        assert bool(json.loads(config)["settings"]["teachers"]) == taught
