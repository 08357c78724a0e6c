"""The whole way of one split on a tiny corpus: what it leaves, what it keeps, what it refuses."""

import json
import os
import shutil
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from dcase_system.audio.clips import load_data
from dcase_system.challenge.finished import load_run
from dcase_system.challenge.run import run_split
from dcase_system.challenge.student import stage
from dcase_system.challenge.student.plan import DevicePlan, signature_of
from dcase_system.challenge.student.train import train_student
from dcase_system.core.errors import InputError
from dcase_system.core.files import file_digest
from dcase_system.corpora import tau
from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.demo import TINY
from dcase_system.edge.classifier import Classifier
from dcase_system.models.stored import load_network
from dcase_system.submission.outputs import read_output
from dcase_system.training.metrics import score_classes
from tests.reporting.tracing import traced

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture(scope="session")
def data(data_and_evaluation):
    return data_and_evaluation


def test_a_run_directory_holds_everything_to_audit_the_run(run):
    files = {
        str(path.relative_to(run.directory)) for path in run.directory.rglob("*") if path.is_file()
    }
    assert {
        "config.json",
        "metrics.jsonl",
        "report.html",
        "model_card.md",
        "complexity.json",
        "student/spec.json",
        "student/network.keras",
        "student/contract.json",
        "edge/student_float16.tflite",
        "edge/student_float16.json",
        "edge/student_int8_waveform.tflite",
        "edge/calibration.csv",
        "edge/check.json",
        "edge/labels.txt",
        "dev_test/scores.json",
        "dev_test/predictions.csv",
        "evaluation/output.split_100.csv",
    } <= files
    assert not any(".partial" in name for name in files)
    settings = json.loads((run.directory / "config.json").read_text())["settings"]
    assert settings["plan"]["seed"] == 5
    assert settings["split"] == 100


def test_scores_cover_every_form_class_device_and_group(run, data):
    scores = run.scores
    assert set(scores["forms"]) == {
        "keras_float32",
        "keras_float16",
        "saved_model",
        "tflite_float16",
        "tflite_float16_waveform",
        "tflite_dynamic",
        "tflite_dynamic_waveform",
        "tflite_int8",
        "tflite_int8_waveform",
    }
    for variant in scores["forms"].values():
        assert {"agreement", "largest_difference", "mean_difference"} <= variant.keys()
    submitted = scores["forms"][scores["submitted_form"]]
    assert list(submitted["class_wise"]) == list(tau.SCENES)
    assert list(submitted["device_wise"]) == list(tau.DEVICES)
    assert list(submitted["group_wise"]) == ["real", "seen", "unseen"]
    low, high = scores["intervals_95"]["overall"]
    assert 0 <= low <= submitted["overall"]["accuracy"] <= high <= 100
    assert submitted["overall"]["clips"] == len(data.test)


def test_every_number_of_the_report_is_in_the_runs_files(run):
    assert traced((run.directory / "report.html").read_text(), run.directory) > 200


def test_what_is_scored_is_what_is_handed_in(run, finished, data):
    """The predictions file has the accuracy that the scores state, and the student's weights."""
    table = pd.read_csv(run.directory / "dev_test" / "predictions.csv", sep="\t")
    assert tuple(table.filename) == data.test.clips.filenames
    assert tuple(table.identifier) == data.test.clips.locations
    assert tuple(table.source_label) == data.test.clips.devices
    right = table.scene_label == table.predicted
    macro = 100 * right.groupby(table.scene_label).mean().mean()
    assert macro == pytest.approx(run.scores["forms"]["keras_float16"]["overall"]["accuracy"])
    network = load_network(run.directory / "student")
    network.set_weights([weight.astype(np.float16) for weight in network.get_weights()])
    clips = data.test.audio.gather(np.arange(len(data.test)))
    logits = np.asarray(network(signature_of(finished.plan, data).features(clips), training=False))
    np.testing.assert_allclose(table[list(data.scenes)], softmax(logits, axis=1), atol=2e-3)


def test_what_is_scored_is_what_is_exported(run, data):
    """The file itself, read back: its digest, its accuracy, and the submitted probabilities."""
    path = run.directory / "edge" / "student_float16.tflite"
    assert file_digest(path) == json.loads(path.with_suffix(".json").read_text())["sha256"]
    positions = np.arange(len(data.test))
    exported = Classifier(path).probabilities(data.test.audio.gather(positions))
    scored, _ = score_classes(exported, data.test.clips.labels, data.scenes)
    assert asdict(scored) == pytest.approx(run.scores["forms"]["tflite_float16"]["overall"])
    table = pd.read_csv(run.directory / "dev_test" / "predictions.csv", sep="\t")
    np.testing.assert_allclose(table[list(data.scenes)].to_numpy(), exported, atol=0.01)


def test_complexity_is_that_of_the_saved_student(run):
    network = load_network(run.directory / "student")
    params = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    assert run.complexity["params"] == params
    assert run.complexity["bytes"]["float16"] == 2 * params
    assert all(rule["complies"] for rule in run.complexity["rules"]["2024 Task 1"])


def test_evaluation_output_has_every_clip(run, data):
    output = read_output(run.output, data.scenes)
    assert set(output.filenames) == {f"{index}.wav" for index in range(TINY.evaluation_clips)}
    np.testing.assert_allclose(output.probabilities.sum(axis=1), 1.0, atol=1e-3)


def test_a_finished_run_is_kept_and_reads_back(finished, data):
    run = finished.run
    stamps = {path: path.stat().st_mtime_ns for path in run.directory.glob("*/stage.json")}
    again = run_split(run.directory, finished.plan, data, **finished.others)
    assert stamps == {path: path.stat().st_mtime_ns for path in run.directory.glob("*/stage.json")}
    assert again == run == load_run(run.directory)


def test_device_specific_networks_may_come_later_and_leave_the_rest_as_it_is(
    finished, data, tmp_path
):
    run, again = finished.run, shutil.copytree(finished.run.directory, tmp_path / "run")

    def stages():
        return {path: path.stat().st_mtime_ns for path in again.glob("*/stage.json")}

    before = stages()
    plan = DevicePlan(epochs=1, min_clips=20)  # device a alone has so many
    done = run_split(again, finished.plan, data, **finished.others, devices=plan)
    assert before.items() < stages().items()
    added = {path.parent.name for path in stages().keys() - before.keys()}
    assert added == {"device_a", "devices", "devices_evaluation"}
    assert (done.scores, done.complexity) == (run.scores, run.complexity)
    general, specific = (
        read_output(path, data.scenes) for path in (done.output, done.devices.output)
    )
    changed = (general.probabilities != specific.probabilities).any(axis=1)
    np.testing.assert_array_equal(changed, np.array(data.evaluation_devices) == "a")
    assert changed.any() and not changed.all()
    assert "\naudio/0.wav\t" in done.devices.output.read_text()
    assert done.devices.scores["general"]["overall"] == pytest.approx(
        run.scores["forms"]["keras_float16"]["overall"]
    )
    assert set(done.devices.scores["differences"]["device_wise"]) == set(tau.DEVICES)
    assert set(done.devices.complexity["devices"]) == {"a"}
    assert "Device-specific networks" in (again / "report.html").read_text()
    assert load_run(again) == done
    with pytest.raises(InputError, match=r"device_specific is \{.* there and none here"):
        run_split(again, finished.plan, data, **finished.others)


def test_another_plan_is_refused_and_the_finished_run_stays_as_it_is(
    finished, demo, data, tmp_path
):
    again = shutil.copytree(finished.run.directory, tmp_path / "run")
    before = {path: file_digest(path) for path in again.rglob("*") if path.is_file()}
    split5 = load_data(read_corpus(demo.development), 5, demo.evaluation, tmp_path / "stores")
    plan, listed = finished.plan, '["float16", "dynamic", "int8"]'
    for changed, clips, others, message in [
        (replace(plan, epochs=3), data, {}, "plan.epochs is 1 there and 3 here"),
        (plan, split5, {}, "split is 100 there and 5 here, clips.train is "),
        (plan, data, {"formats": ("float16",)}, f'formats is {listed} there and ["float16"] here'),
        (plan, data, {"formats": ()}, "formats is"),
        (plan, data, {"ensemble": None}, "teachers is {"),
    ]:
        with pytest.raises(InputError, match="holds a run with other settings") as refused:
            run_split(again, changed, clips, **(finished.others | others))
        assert message in str(refused.value) and "--overwrite" in str(refused.value)
    assert {path: file_digest(path) for path in again.rglob("*") if path.is_file()} == before


def test_a_file_that_has_changed_under_its_name_is_refused(finished, demo, tmp_path):
    root = shutil.copytree(demo.development, tmp_path / "development")
    corpus = read_corpus(root)
    name = corpus.split(100).filenames[0]
    os.utime(root / name, (1, 1))
    data = load_data(corpus, 100, demo.evaluation, tmp_path / "stores")
    with pytest.raises(InputError, match=r"other settings: clips\.train_audio is \w{12} there and"):
        run_split(finished.run.directory, finished.plan, data, **finished.others)


@pytest.mark.slow
def test_a_run_that_is_overwritten_is_another_one(finished, data, tmp_path):
    again = shutil.copytree(finished.run.directory, tmp_path / "run")
    (again / "report.html").write_text("of the first run")
    plan = replace(finished.plan, validation_fraction=0.4)
    unlabelled = replace(data, evaluation=(), evaluation_audio=None)
    done = run_split(again, plan, unlabelled, formats=("float16",), overwrite=True)
    inputs = json.loads((again / "student" / "stage.json").read_text())["inputs"]
    assert inputs["plan"]["validation_fraction"] == 0.4
    line = json.loads((again / "metrics.jsonl").read_text())
    assert {"epoch", "loss", "accuracy", "val_accuracy", "val_logloss"} <= line.keys()
    assert done.output is None and not (again / "evaluation").exists()
    assert (again / "report.html").read_text() != "of the first run"


def test_what_another_run_has_predicted_is_not_handed_in(run, tmp_path):
    again = shutil.copytree(run.directory, tmp_path / "run")
    record = again / "evaluation" / "stage.json"
    content = json.loads(record.read_text())
    content["inputs"]["student"] = "another"
    record.write_text(json.dumps(content))
    assert load_run(run.directory).output is not None
    assert load_run(again).output is None


def test_only_the_same_training_is_resumed(finished, demo, data, tmp_path, monkeypatch, caplog):
    """A checkpoint that another split left in the directory is not taken for this one's."""
    caplog.set_level("INFO", "dcase_system")

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(stage, "save_network", interrupt)  # when the training is over
        run_split(tmp_path / "run", finished.plan, data)
    (left,) = (tmp_path / "run" / "checkpoints").iterdir()
    split5 = load_data(read_corpus(demo.development), 5, None, tmp_path / "stores")
    train_student(tmp_path / "run", finished.plan, split5)
    assert "resuming" not in caplog.text
    assert not left.exists()


def test_an_unfinished_run_is_named(tmp_path):
    with pytest.raises(InputError, match=r"config\.json: not a finished run"):
        load_run(tmp_path)
