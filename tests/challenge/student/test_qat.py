"""The stage that trains a student's int8 file: what it leaves, what it keeps, where it goes."""

import json
import shutil

import pytest

from dcase_system.challenge.run import run_split
from dcase_system.challenge.student.qat import QATStage, train_qat
from dcase_system.edge.card import read_card
from tests.training.curves import assert_drawn

pytestmark = pytest.mark.usefixtures("toy")


def read_json(path):
    return json.loads(path.read_text())


def test_the_int8_forms_of_a_run_are_the_trained_ones(run):
    trained = (run.directory / "aware" / "student_int8.tflite").read_bytes()
    kernels = trained[len(trained) // 4 : len(trained) // 2]  # the card is put in behind them
    edge = run.directory / "edge"
    assert kernels in (edge / "student_int8.tflite").read_bytes()
    for name, quantised in {
        "student_int8": "aware",
        "student_int8_waveform": "aware",
        "student_dynamic": "after training",
    }.items():
        assert read_card(edge / f"{name}.tflite").quantised == quantised
        assert read_json(edge / f"{name}.json")["quantised"] == quantised
    assert {"tflite_int8", "tflite_int8_waveform"} <= read_json(edge / "check.json").keys()
    assert run.scores["forms"]["tflite_int8"]["agreement"] > 50
    assert run.settings["aware"] == {"epochs": 2, "learning_rate": 5e-5}


def test_it_learns_from_the_student_s_teachers_and_scores_what_is_held_out(run):
    inputs = read_json(run.directory / "aware" / "stage.json")["inputs"]
    assert inputs["teachers"] == "of teachers"
    assert inputs["plan"]["learning_rate"] == 5e-5
    lines = (run.directory / "aware.metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all({"loss", "val_accuracy", "val_logloss"} <= row.keys() for row in rows)
    curves = run.directory / "tensorboard" / "aware"
    assert_drawn(run.directory / "aware.metrics.jsonl", curves)


@pytest.mark.slow
def test_without_it_the_student_is_the_same(finished, data, tmp_path):
    ensemble = finished.others["ensemble"]
    done = run_split(tmp_path, finished.plan, data, ensemble=ensemble, formats=())
    assert done.settings["aware"] is None
    # As of a run of a version that has no such training.
    inputs = read_json(tmp_path / "edge" / "stage.json")["inputs"]
    assert inputs.keys() == {"student", "scenes", "formats"}
    reference = [x.scores["forms"]["keras_float32"] for x in (finished.run, done)]
    assert reference[0] == reference[1]


@pytest.mark.slow
def test_a_finished_stage_is_kept_and_an_interrupted_one_goes_on(
    finished, data, tmp_path, monkeypatch, caplog
):
    caplog.set_level("INFO", "dcase_system")
    again = shutil.copytree(finished.run.directory, tmp_path / "run")
    path, student = again / "aware" / "student_int8.tflite", again / "student" / "stage.json"
    qat, ensemble = finished.others["qat"], finished.others["ensemble"]
    given = (again, finished.plan, qat, data, read_json(student)["key"], ensemble)
    train_qat(*given)
    assert "aware: already done, skipped" in caplog.text
    content = path.read_bytes()
    shutil.rmtree(again / "aware")
    batches = QATStage._epoch_batches

    def cut_short(stage, network, teachers, epoch):
        if epoch == 1:
            raise KeyboardInterrupt
        return batches(stage, network, teachers, epoch)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(QATStage, "_epoch_batches", cut_short)
        train_qat(*given)
    assert not path.exists()
    train_qat(*given)
    assert "resuming after epoch 1" in caplog.text
    assert path.read_bytes() == content
    rows = (again / "aware.metrics.jsonl").read_text().splitlines()
    assert [json.loads(row)["epoch"] for row in rows] == [1, 2]
    assert_drawn(again / "aware.metrics.jsonl", again / "tensorboard" / "aware")
    assert not (again / "checkpoints").exists()
