"""The recipe for recordings of one's own, as a command."""

import json

import pytest

from tests.commands import run, too_wide
from tests.sounds.folders import write, write_folders

TOY = ("--fast", "--epochs=1", "--batch_size=8", "--tflite_formats=int8", "--target=cortex-m4")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    source = write_folders(folder / "My recordings #1")
    given = [f"--data_dir={source}", f"--cache_dir={folder / 'cache'}"]
    given += [f"--output_dir={folder / 'run'}", *TOY]
    done = run("recipes.sounds", *given)
    assert done.returncode == 0, done.stderr
    return folder, given, done


def test_it_ends_with_scores_of_recordings_and_what_the_network_fits(finished):
    folder, _, done = finished
    scores = json.loads((folder / "run" / "recordings.json").read_text())
    assert f"whole recordings: {scores['accuracy']:.1f} % of 3 recordings" in done.stdout
    assert "Cortex-M4" in done.stdout and "report: " in done.stdout
    assert "epochs: student 1; " in done.stderr
    assert (folder / "run" / "microcontroller" / "student_int8.h").is_file()
    assert "22,050 Hz: 4" in done.stdout
    named = [line for line in too_wide(done) if "RAM" not in line and "/" not in line]
    assert named == []


def test_the_same_command_repeats_nothing(finished):
    folder, given, _ = finished
    log = (folder / "run" / "metrics.jsonl").read_bytes()
    again = run("recipes.sounds", *given)
    assert again.returncode == 0, again.stderr
    assert "epoch 1" not in again.stderr
    assert (folder / "run" / "metrics.jsonl").read_bytes() == log


@pytest.mark.slow
def test_the_prepared_corpus_is_one_for_the_other_recipes(finished, tmp_path):
    folder, *_ = finished
    done = run(
        "recipes.split100",
        f"--data_dir={folder / 'run-corpus'}",
        f"--cache_dir={folder / 'cache'}",
        f"--output_dir={tmp_path / 'run'}",
        *("--epochs=1", "--batch_size=8", "--system=dense", "--nodistill"),
        "--tflite_formats=float16",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_whole_way_meets_the_budget(finished, tmp_path):
    folder, *_ = finished
    done = run(
        "recipes.sounds",
        f"--data_dir={folder / 'My recordings #1'}",
        f"--cache_dir={folder / 'cache'}",
        f"--output_dir={tmp_path / 'run'}",
        *("--epochs=3", "--batch_size=8", "--tflite_formats=int8", "--target=cortex-m4"),
        published=True,
    )
    assert done.returncode == 0, done.stderr
    complexity = json.loads((tmp_path / "run" / "complexity.json").read_text())
    assert all(row["complies"] for row in complexity["rules"]["target"])


@pytest.mark.slow
def test_several_labels_go_the_whole_way(tmp_path):
    rows = ["file,label"]
    for index, label in enumerate(["dog", "rain", "dog;rain", "dog;car"] * 3):
        write(tmp_path / f"{index}.wav", 3, seed=index)
        rows.append(f"{index}.wav,{label}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    done = run(
        "recipes.sounds",
        f"--data_dir={tmp_path / 'table.csv'}",
        f"--cache_dir={tmp_path / 'cache'}",
        f"--output_dir={tmp_path / 'run'}",
        *("--epochs=3", "--batch_size=8", "--tflite_formats=int8", "--target=cortex-m4"),
        published=True,
    )
    assert done.returncode == 0, done.stderr
    assert "whole recordings: mAP " in done.stdout
    signature = json.loads((tmp_path / "run" / "student" / "contract.json").read_text())
    assert (signature["activation"], signature["labels"]) == ("sigmoid", ["car", "dog", "rain"])
    teachers = json.loads((tmp_path / "run-teachers" / "ensemble.json").read_text())
    assert 0 <= teachers["dev_test"]["ensemble"]["map"] <= 1
    assert (
        "probability that its label is present" in (tmp_path / "run" / "model_card.md").read_text()
    )


@pytest.mark.slow
def test_unknown_sounds_are_rejected_by_class_and_threshold(tmp_path):
    source = write_folders(tmp_path / "recordings", 6)
    (source / "park").rename(source / "Background")
    done = run(
        "recipes.sounds",
        f"--data_dir={source}",
        f"--cache_dir={tmp_path / 'cache'}",
        f"--output_dir={tmp_path / 'run'}",
        *TOY,
        "--false_rejections=0.2",
    )
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "run" / "dev_test" / "scores.json").read_text())["rejection"]
    card = json.loads((tmp_path / "run" / "edge" / "student_int8.json").read_text())
    assert card["contract"]["rejection_threshold"] == scores["threshold"] > 0
    assert scores["classes"] == ["Background"]
    assert scores["with"]["false_rejections"] >= scores["without"]["false_rejections"]
    text = (tmp_path / "run" / "model_card.md").read_text()
    assert "Of the test clips of Background" in text and "`classify --reject`" in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--unknown_class=cat"], "--unknown_class: no such class; expected Straße 5%, bus, park"),
        (["--data_dir=nowhere"], "nowhere: data folder does not exist"),
        (["--group_pattern=("], "--group_pattern: not a regular expression"),
        (["--target=mainframe"], "--target"),
    ],
)
def test_wrong_input_ends_in_one_line(finished, tmp_path, given, message):
    _, before, _ = finished
    done = run("recipes.sounds", before[0], *TOY, f"--output_dir={tmp_path / 'run'}", *given)
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]
    assert not (tmp_path / "run").exists()
