"""The figure of a pruning: what it draws of the logs."""

import json

import numpy as np

from dcase_system.reporting.pruning_figure import LoggedStage, pruning_figure, read_log

STEPS = 10


def epochs(count, **values):
    return [{"epoch": epoch, "accuracy": 0.5, **values} for epoch in range(1, count + 1)]


def updates(*ratios, **values):
    return [{"step": 5 * i, "ratio": ratio, **values} for i, ratio in enumerate(ratios, 1)]


def panels(*stages):
    return pruning_figure(stages, STEPS, "title").axes


def test_two_rounds_add_up_to_what_is_left_of_the_first_width():
    """S3: 0.34 of 96 channels, then 0.51 of what stayed."""
    _, hidden = panels(
        LoggedStage("wide", epochs(3), []),
        LoggedStage("pruned1", epochs(2), updates(0.2, 0.34)),
        LoggedStage("tuned1", epochs(1), []),
        LoggedStage("pruned2", epochs(1), updates(0.51)),
    )
    drawn = np.concatenate([np.array(line.get_xydata()) for line in hidden.lines[0::1]])
    found = dict(drawn.round(6).tolist())  # of two values at a step the later one
    assert {step: found[step] for step in (35.0, 40.0, 65.0)} == {
        35.0: 20.0,
        40.0: 34.0,
        65.0: round(100 * (1 - 0.66 * 0.49), 6),
    }
    assert drawn[:, 0].max() == 70


def test_held_out_accuracy_is_drawn_at_epochs_and_at_updates():
    accuracy, _ = panels(
        LoggedStage("wide", epochs(2, val_accuracy=40.0), []),
        LoggedStage("pruned1", epochs(2, val_accuracy=45.0), updates(0.5, val_accuracy=30.0)),
        LoggedStage("student", epochs(1, val_accuracy=50.0), []),
    )
    points = [line.get_xydata().tolist() for line in accuracy.lines]
    assert [[10.0, 40.0], [20.0, 40.0]] in points
    assert [[25.0, 30.0]] in points
    labels = [text.get_text() for text in accuracy.get_legend().get_texts()]
    assert labels == ["held-out clips, each epoch", "held-out clips, right after masks changed"]


def test_without_held_out_clips_the_accuracy_is_that_of_the_training():
    accuracy, _ = panels(LoggedStage("pruned1", epochs(1), updates(0.5)))
    assert [text.get_text() for text in accuracy.get_legend().get_texts()] == [
        "training clips, augmented"
    ]
    assert accuracy.lines[0].get_ydata().tolist() == [50.0]


def test_logs_are_read_and_may_be_missing(tmp_path):
    (tmp_path / "log.jsonl").write_text(json.dumps({"step": 1}) + "\n")
    assert read_log(tmp_path / "log.jsonl") == [{"step": 1}]
    assert read_log(tmp_path / "none.jsonl") == []
