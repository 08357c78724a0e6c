"""Device-specific networks on the page and in the summary."""

import json

import pytest

from dcase_system.reporting.content import Note, Table
from dcase_system.reporting.report import page_of, write_report
from dcase_system.reporting.run_devices import device_networks
from dcase_system.reporting.run_files import read_run
from dcase_system.reporting.summary import run_summary
from tests.reporting import runs
from tests.reporting.tracing import traced


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with device-specific networks for two devices, one over the limit of bytes."""
    scores = runs.scores(runs.predictions(0.7))
    general = scores["forms"]["keras_float16"]
    change = {"difference": 1.2, "low": -0.5, "high": 3.0}
    differences: dict = {"overall": change}
    for part in ("group_wise", "device_wise"):
        differences[part] = dict.fromkeys(general[part], change)

    def costs(size):
        bytes_ = {"value": size, "limit": 128_000, "complies": size <= 128_000}
        macs = {"value": 29_982_132, "limit": 30_000_000, "complies": True}
        return {"rules": [{"rule": "bytes", **bytes_}, {"rule": "MACs", **macs}]}

    of_devices = {"a": costs(129_750), "s1": costs(127_496)}
    contents = {
        "config.json": {
            "settings": {"kind": "split", "split": 25, "device_specific": {"epochs": 10}}
        },
        "dev_test/scores.json": scores,
        "devices/scores.json": {
            "own_networks": ["a", "s1"],
            "general": general,
            "device_specific": general,
            "differences": differences,
        },
        "devices/complexity.json": {"general": costs(127_496), "devices": of_devices},
    }
    folder = tmp_path_factory.mktemp("run")
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def tables(run):
    blocks = device_networks(read_run(run))
    found = {block.name: block.rows for block in blocks if isinstance(block, Table)}
    return {name: [[str(cell) for cell in row] for row in rows] for name, rows in found.items()}


def test_every_device_has_its_network_both_accuracies_and_a_paired_interval(tables):
    rows = tables["device_networks"]
    assert [row[:2] for row in rows] == [
        *(["all devices", "None"], ["real", "None"], ["seen", "None"], ["unseen", "None"]),
        *(["a", "own"], ["s1", "own"], ["s2", "general"], ["s4", "general"]),
    ]
    assert all(row[4:7] == ["+1.2", "-0.5", "+3.0"] for row in rows)


def test_each_network_is_judged_alone_by_the_limits_of_2025(tables):
    assert [(row[0], row[3]) for row in tables["device_limits"]] == [
        *(("general: bytes", "complies"), ("general: MACs", "complies")),
        *(("a: bytes", "OVER"), ("a: MACs", "complies")),
        *(("s1: bytes", "complies"), ("s1: MACs", "complies")),
    ]


def test_every_number_is_in_the_file_it_names(run):
    page = write_report(run).read_text()
    assert "Device-specific networks" in page
    assert traced(page, run) > 100


def test_the_summary_has_the_table_in_80_columns(run):
    summary = run_summary(run)
    assert "General network against device-specific networks" in summary
    assert max(map(len, summary.splitlines())) <= 80


def test_runs_without_them_say_nothing_and_lost_scores_are_named(run, tmp_path):
    config = json.loads((run / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config))
    notes = " ".join(note.text for note in page_of(tmp_path).blocks(Note))
    assert "No scores of the device-specific networks: devices/scores.json is missing" in notes
    config["settings"]["device_specific"] = None
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert "Device-specific networks" not in [one.title for one in page_of(tmp_path).sections]
