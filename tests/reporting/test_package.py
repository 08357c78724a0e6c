"""The results and the page of a challenge package."""

import json

import pytest

from dcase_system.corpora import tau
from dcase_system.reporting.content import Link, Note, Table
from dcase_system.reporting.package_results import package_results, write_results
from dcase_system.reporting.report import page_of
from tests.reporting.tracing import traced


def row(system, split, accuracy, seed=0):
    return {
        "system": system,
        "split": split,
        "seed": seed,
        "accuracy": accuracy,
        "logloss": 1.25,
        "params": 63_748,
        "macs": 29_982_132,
        "bytes": 127_496,
        "accuracy_unseen": accuracy - 5,
    }


@pytest.fixture
def folder(tmp_path):
    settings = {"systems": ["S1"], "splits": ["5", "100"], "seed": 0}
    config = {"command": ["x"], "settings": settings, "versions": {}, "code": {}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_a_row_a_system_and_a_column_a_split(folder):
    rows = [row("S1", 5, 40.0), row("S1", 100, 60.0), row("S2", 5, 41.0)]
    text = write_results(folder, rows, [5, 100], baseline=False)
    _, header, first, second, *_ = text.splitlines()
    assert header.split() == ["system", "5", "%", "100", "%", "mean", "bytes", "MMACs"]
    assert first.split() == ["S1", "40.0", "60.0", "50.0", "127,496", "29.98"]
    # The challenge ranks by the mean over all lists: of some there is none.
    assert second.split() == ["S2", "41.0", "–", "–", "127,496", "29.98"]


def test_the_published_baseline_stands_below_and_the_table_fits(folder):
    rows = [row("S1", split, 100.0) for split in tau.SPLITS]
    lines = write_results(folder, rows, list(tau.SPLITS), baseline=True).splitlines()
    baseline = next(line for line in lines if line.endswith("29.42"))
    assert baseline.split()[-8:] == [
        *("42.4", "45.3", "50.3", "53.2", "57.0", "49.6", "122,296", "29.42")
    ]
    assert max(len(line) for line in lines if not line.startswith("report")) <= 80


def test_every_number_of_the_page_is_in_the_results(folder):
    rows = [row(name, split, 40.0 + split / 7) for name in ("S1", "S3") for split in tau.SPLITS]
    write_results(folder, rows, list(tau.SPLITS), baseline=True)
    assert traced((folder / "report.html").read_text(), folder) > 50


def test_several_seeds_have_means_and_deviations_and_the_first_is_handed_in(folder):
    rows = [row("S1", 5, 40.0 + seed, seed) for seed in (0, 1, 2)]
    rows += [row("S1", 100, 60.0 - seed, seed) for seed in (0, 1, 2)]
    text = write_results(folder, rows, [5, 100], baseline=False)
    assert text.splitlines()[2].split()[:4] == ["S1", "40.0", "60.0", "50.0"]
    results = json.loads((folder / "results.json").read_text())
    (system,) = results["over_seeds"]
    assert system == {
        "system": "S1",
        "accuracy": {"5": 41.0, "100": 59.0},
        "deviation": {"5": 1.0, "100": 1.0},
        "mean": 50.0,
    }
    assert {"mean_of_seeds", "deviation_of_seeds"} <= {
        table.name for table in page_of(folder).blocks(Table)
    }
    assert traced((folder / "report.html").read_text(), folder) > 10


def test_the_page_leads_to_the_runs_reports_in_the_order_of_splits(folder):
    for split in (5, 100, 25):
        run = folder / "S1" / f"split_{split}"
        run.mkdir(parents=True)
        (run / "report.html").write_text("")
    write_results(folder, [row("S1", 5, 40.0)], [5], baseline=False)
    targets = [link.target for link in page_of(folder).blocks(Link)]
    assert targets == [f"S1/split_{split}/report.html" for split in (5, 25, 100)]


def test_a_package_that_stopped_half_way_says_so(folder):
    page = page_of(folder)
    assert any("results.json is not there" in note.text for note in page.blocks(Note))
    assert {table.name for table in page.blocks(Table)} == {"origin"}


def test_costs_are_the_largest_of_the_splits():
    rows = [row("S1", 5, 40.0), {**row("S1", 100, 41.0), "bytes": 130_000}]
    (system,) = package_results(rows, [5, 100], baseline=False)["systems"]
    assert system["bytes"] == 130_000
