"""Curves for TensorBoard: the lines of the log and nothing else, whatever has happened before."""

import errno
import json
import os
from pathlib import Path

import pytest
import tensorflow as tf

from dcase_system.training.log import TrainingLog
from tests.training.curves import assert_drawn, points


def add(log, *epochs):
    for epoch in epochs:
        log.add({"epoch": epoch, "loss": 1 / epoch, "val_accuracy": 10.0 * epoch})


@pytest.fixture
def place(tmp_path):
    return tmp_path / "wide.metrics.jsonl", tmp_path / "tensorboard" / "wide"


def test_every_row_is_a_line_and_a_point_of_each_curve_at_once(place):
    with TrainingLog(*place) as log:
        for epoch in (1, 2, 3):
            add(log, epoch)
            assert_drawn(*place)  # before it is closed: a running training is looked at
    assert {tag for tag, _, _ in points(place[1])} == {"epoch/loss", "epoch/val_accuracy"}


def test_the_axis_of_a_log_is_its_curves_group(place):
    with TrainingLog(*place, axis="step") as log:
        log.add({"step": 0, "ratio": 0.25})
        log.add({"step": 17, "ratio": 0.5})
    assert_drawn(*place, axis="step")
    assert [step for _, step, _ in points(place[1])] == [0, 17]


def test_what_a_killed_training_repeats_is_there_once(place):
    path, curves = place
    killed = TrainingLog(path, curves)
    add(killed, 1, 2, 3)
    (events,) = curves.iterdir()
    os.truncate(events, events.stat().st_size - 5)
    with path.open("a") as stream:
        stream.write('{"epoch": 4, "lo')
    with TrainingLog(path, curves) as resumed:
        add(resumed, 3, 4)
    assert [json.loads(line)["epoch"] for line in path.read_text().splitlines()] == [1, 2, 3, 4]
    assert_drawn(path, curves)
    assert len(list(curves.iterdir())) == 1


def test_another_training_in_the_same_place_begins_with_nothing(place):
    for epochs in ((1, 2, 3), (1,)):
        with TrainingLog(*place) as log:
            add(log, *epochs)
    assert_drawn(*place)
    assert {step for _, step, _ in points(place[1])} == {1}


def test_a_log_may_have_no_curves_and_curves_leave_another_log_s_alone(place):
    path, curves = place
    with TrainingLog(path) as log:
        add(log, 1)
    assert not curves.exists()
    updates = curves / "pruning"
    for name, folder in (("pruned1.pruning.jsonl", updates), (path.name, curves)):
        with TrainingLog(path.with_name(name), folder) as log:
            add(log, 1, 2)
    assert_drawn(path.with_name("pruned1.pruning.jsonl"), updates)
    assert_drawn(path, curves)


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_closed_log_holds_no_file(place):
    before = open_files()
    for _ in range(10):
        with TrainingLog(*place) as log:
            add(log, 1)
    assert open_files() == before


def test_a_fault_of_tensorflow_s_files_is_one_of_python_s(place, monkeypatch):
    def full(folder):
        text = f"{{{{node x}}}} {folder}/events; No space left on device\n\tFlushing. [Op:x] name: "
        raise tf.errors.ResourceExhaustedError(None, None, text)

    monkeypatch.setattr(tf.summary, "create_file_writer", full)
    with pytest.raises(OSError) as raised, TrainingLog(*place) as log:
        add(log, 1)
    assert raised.value.strerror == "No space left on device"
    assert (raised.value.errno, raised.value.filename) == (errno.EIO, str(place[1]))
    assert len(place[0].read_text().splitlines()) <= 1
