"""The summary at the end of a recipe."""

import pytest

from dcase_system.reporting.summary import run_summary
from tests.reporting.runs import write_run


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    return run_summary(write_run(tmp_path_factory.mktemp("run")))


def test_summary_fits_80_columns(summary):
    assert max(map(len, summary.splitlines())) <= 80


def test_summary_states_accuracy_interval_and_verdicts(summary):
    first, *others = summary.splitlines()
    assert first.startswith("dev-test macro accuracy ")
    assert "95 % interval" in first and "log loss" in first
    assert any(line.startswith("by device group: real ") for line in others)
    assert "keras_float16 *" in summary
    assert summary.count("OVER") == 1
    assert summary.count("complies") == 1


def test_scores_of_one_recording_have_no_interval(tmp_path):
    write_run(tmp_path, recordings=1)
    assert "interval" not in run_summary(tmp_path)
