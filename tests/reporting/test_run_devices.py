"""What the page and the summary show of device-specific networks."""

import json

import pytest

from dcase_system.reporting.content import Note, Table
from dcase_system.reporting.report import page_of, write_report
from dcase_system.reporting.summary import run_summary
from tests.reporting.runs import complexity, write_run
from tests.reporting.tracing import traced


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with networks of its own for two devices; one of them is over the limit."""
    folder = write_run(tmp_path_factory.mktemp("run"))
    general = json.loads((folder / "dev_test" / "scores.json").read_text())["forms"][
        "keras_float16"
    ]
    change = {"difference": 1.2, "low": -0.5, "high": 3.0}
    differences: dict = {"overall": change}
    for part in ("group_wise", "device_wise"):
        differences[part] = dict.fromkeys(general[part], change)
    scores = {
        "networks": {
            device: device if device in ("a", "s1") else None for device in general["device_wise"]
        },
        "general": general,
        "device_specific": general,
        "differences": differences,
    }
    over = complexity() | {"rules": complexity()["rules"]["2025 Task 1"]}
    costs = {"general": over, "devices": {"a": over, "s1": over}}
    (folder / "devices").mkdir()
    (folder / "devices" / "scores.json").write_text(json.dumps(scores))
    (folder / "devices" / "complexity.json").write_text(json.dumps(costs))
    config = json.loads((folder / "config.json").read_text())
    config["settings"]["device_specific"] = {"epochs": 10}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def table(folder, name):
    (found,) = (one for one in page_of(folder).blocks(Table) if one.name == name)
    return [[str(cell) for cell in row] for row in found.rows]


def test_every_device_has_its_network_both_accuracies_and_a_paired_interval(run):
    rows = table(run, "device_networks")
    assert [row[:2] for row in rows] == [
        *(["all devices", "None"], ["real", "None"], ["seen", "None"], ["unseen", "None"]),
        *(["a", "own"], ["s1", "own"], ["s2", "general"], ["s4", "general"]),
    ]
    assert all(row[4:7] == ["+1.2", "-0.5", "+3.0"] for row in rows)


def test_each_network_is_judged_alone_by_the_limits_of_2025(run):
    rows = table(run, "device_limits")
    assert [row[0] for row in rows[::2]] == [
        f"{name}: parameters at float16, bytes" for name in ("general", "a", "s1")
    ]
    assert {row[3] for row in rows[::2]} == {"OVER"} and {row[3] for row in rows[1::2]} == {
        "complies"
    }


def test_every_number_is_in_the_file_it_names(run):
    assert traced(write_report(run).read_text(), run) > 350


def test_the_summary_has_the_table_in_80_columns(run):
    summary = run_summary(run)
    assert "General network against device-specific networks" in summary
    assert max(map(len, summary.splitlines())) <= 80


def test_runs_without_them_say_nothing_and_lost_scores_are_named(run, tmp_path):
    plain = write_run(tmp_path / "plain")
    assert "evice-specific" not in run_summary(plain) + write_report(plain).read_text()
    (plain / "config.json").write_text((run / "config.json").read_text())
    notes = " ".join(note.text for note in page_of(plain).blocks(Note))
    assert "No scores of the device-specific networks: devices/scores.json is missing" in notes
