"""Progress messages of a training without a terminal."""

import logging

import pytest

from dcase_system.training import callbacks


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now[0])
    return now


def lines(clock, caplog, epochs, **settings):
    """Runs epochs of ten seconds, and returns the log."""
    caplog.set_level(logging.INFO, "dcase_system")
    progress = callbacks.Progress("net", 5, settings.pop("first_epoch", 0), epochs, **settings)
    progress.on_train_begin()
    for epoch in range(progress._first_epoch, epochs):
        clock[0] += 10
        progress.on_epoch_end(epoch, {"loss": 0.5, "learning_rate": 1.0})
    progress.on_train_end()
    return caplog.messages


def test_the_first_and_the_last_epoch_and_one_a_minute_are_logged(clock, caplog):
    found = lines(clock, caplog, 10)
    assert [line.split()[2] for line in found] == ["1/10", "7/10", "10/10"]
    assert found[0] == "net epoch 1/10 loss 0.500, 01:30 left"
    assert found[-1] == "net epoch 10/10 loss 0.500, 00:00 left"


def test_what_is_left_includes_the_stages_that_follow(clock, caplog):
    found = lines(clock, caplog, 4, later_epochs=6)
    assert found[0].endswith("00:30 left, 01:30 with the stages after it")
    assert found[-1].endswith("00:00 left, 01:00 with the stages after it")


def test_a_resumed_training_counts_its_own_epochs_alone(clock, caplog):
    found = lines(clock, caplog, 4, first_epoch=2)
    assert found[0] == "net epoch 3/4 loss 0.500, 00:10 left"
