"""The results and the page of a challenge package."""

import json

import pytest

from dcase_system.challenge.package_results import package_results, write_results
from dcase_system.challenge.published import published_rows
from dcase_system.corpora import tau
from dcase_system.reporting.content import Link, Note, Picture, Table
from dcase_system.reporting.numbers import plain
from dcase_system.reporting.report import page_of
from tests.reporting.tracing import traced

_ADDED = ("low", "high", "classes")


def row(system, split, accuracy, seed=0):
    return {
        "system": system,
        "split": split,
        "seed": seed,
        "teachers": "4 passt_s",
        "schedule": "AGP",
        "pruned": "SSCP-Mobile at base width 64; AGP pruning of channels by L2 norm, ratio 0.5",
        "accuracy": accuracy,
        "low": accuracy - 4,
        "high": accuracy + 3,
        "classes": 10,
        "logloss": 1.25,
        "params": 63_748,
        "macs": 29_982_132,
        "bytes": 127_496,
        "accuracy_unseen": accuracy - 5,
    }


def tables_of(folder):
    return {table.name: table for table in page_of(folder).blocks(Table)}


@pytest.fixture
def folder(tmp_path):
    settings = {"kind": "package", "systems": ["S1"], "splits": ["5", "100"], "seed": 0}
    config = {"command": ["x"], "settings": settings, "versions": {}, "code": {}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_a_row_a_system_and_a_column_a_split(folder):
    rows = [row("S1", 5, 40.0), row("S1", 100, 60.0), row("S2", 5, 41.0)]
    write_results(folder, rows, [5, 100], same_corpus=False)
    table = tables_of(folder)["package"]
    assert list(table.columns) == ["system", "5 %", "100 %", "mean", "bytes", "MMACs"]
    first, second, *_ = ([str(cell) for cell in row] for row in table.rows)
    assert first == ["S1", "40.0", "60.0", "50.0", "127,496", "29.98"]
    # The challenge ranks by the mean over all lists: of some there is none.
    assert second == ["S2", "41.0", "None", "None", "127,496", "29.98"]


def test_accuracies_have_their_intervals_and_the_chance_level(folder):
    rows = [row("S1", 5, 40.0), row("S1", 100, 60.0), row("S2", 5, 41.0)]
    write_results(folder, rows, [5, 100], same_corpus=False)
    table = tables_of(folder)["intervals"]
    assert list(table.columns)[1:] == ["5 % from", "5 % to", "100 % from", "100 % to"]
    assert [str(cell) for cell in table.rows[0]] == ["S1", "36.0", "43.0", "56.0", "63.0"]
    (verdict,) = page_of(folder).verdicts
    expected = "S1, mean over the splits; chance level 10.0 % (10 classes)"
    assert plain(verdict.remark) == expected


def test_results_without_intervals_and_classes_have_a_page(folder):
    older = {key: value for key, value in row("S1", 5, 40.0).items() if key not in _ADDED}
    write_results(folder, [older], [5], same_corpus=False)
    assert "intervals" not in tables_of(folder)
    assert plain(page_of(folder).verdicts[0].remark) == "S1, mean over the splits"


def test_the_reports_tables_stand_beside_ours_and_fit_a_terminal(folder):
    rows = [row("S1", split, 100.0) for split in tau.SPLITS]
    lines = write_results(folder, rows, list(tau.SPLITS), same_corpus=True).splitlines()
    assert max(len(line) for line in lines if not line.startswith("report")) <= 80
    tables = tables_of(folder)
    shown = {
        name: [[str(cell) for cell in row] for row in table.rows] for name, table in tables.items()
    }
    assert shown["configuration"][1:] == [
        ["S1, published", "63,748", "29,982,132", "4 PaSST", "AGP", "from base channel 64 to 32"],
        ["baseline, published", "61,148", "29,419,156", "None", "None", "None"],
    ]
    assert shown["package"][1:] == [
        ["S1, published", "52.2", "55.8", "58.9", "None", "None", "None", "127,496", "29.98"],
        ["baseline, published", "42.4", "45.3", "50.3", "53.2", "57.0", "49.6", "122,296", "29.42"],
    ]


@pytest.mark.parametrize(("same_corpus", "lines"), [(True, 3), (False, 1)])
def test_published_rows_of_another_corpus_are_marked_and_not_drawn(folder, same_corpus, lines):
    rows = [row("S1", split, 40.0) for split in tau.SPLITS]
    write_results(folder, rows, list(tau.SPLITS), same_corpus=same_corpus)
    title = tables_of(folder)["package"].title
    assert "Published rows: TAU Urban Acoustic Scenes 2022 Mobile" in title
    assert title.endswith("another corpus than ours") != same_corpus
    (picture,) = page_of(folder).blocks(Picture)
    assert len(picture.marks) == lines


def test_systems_that_the_report_has_not_get_the_baseline_alone_beside_them():
    assert [one["system"] for one in published_rows(["dense", "S2c"], [5])] == [
        "baseline, published"
    ]
    names = [one["system"] for one in published_rows(["S3", "S2", "S1"], [5])]
    assert names == [f"{name}, published" for name in ("S1", "S2", "S3", "baseline")]


def test_every_number_of_the_page_is_in_the_results(folder):
    rows = [row(name, split, 40.0 + split / 7) for name in ("S1", "S3") for split in tau.SPLITS]
    write_results(folder, rows, list(tau.SPLITS), same_corpus=True)
    assert traced((folder / "report.html").read_text(), folder) > 50


def test_several_seeds_have_means_and_deviations_and_the_first_is_handed_in(folder):
    rows = [row("S1", 5, 40.0 + seed, seed) for seed in (0, 1, 2)]
    rows += [row("S1", 100, 60.0 - seed, seed) for seed in (0, 1, 2)]
    write_results(folder, rows, [5, 100], same_corpus=False)
    assert [str(cell) for cell in tables_of(folder)["package"].rows[0][:4]] == [
        *("S1", "40.0", "60.0", "50.0")
    ]
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
    write_results(folder, [row("S1", 5, 40.0)], [5], same_corpus=False)
    targets = [link.target for link in page_of(folder).blocks(Link)]
    assert targets == [f"S1/split_{split}/report.html" for split in (5, 25, 100)]


def test_a_package_that_stopped_half_way_says_so(folder):
    page = page_of(folder)
    assert any("results.json is missing" in note.text for note in page.blocks(Note))
    assert {table.name for table in page.blocks(Table)} == {"origin"}


def test_costs_are_the_largest_of_the_splits():
    rows = [row("S1", 5, 40.0), {**row("S1", 100, 41.0), "bytes": 130_000}]
    (system,) = package_results(rows, [5, 100], same_corpus=False)["systems"]
    assert system["bytes"] == 130_000


def test_device_specific_networks_have_a_table_of_their_own(folder):
    of_devices = {"device_specific": 41.5, "device_difference": 1.5}
    of_devices |= {"device_low": -0.5, "device_high": 3.5}
    rows = [row("S1", 5, 40.0), row("S1", 100, 60.0) | of_devices, row("S2", 5, 41.0)]
    write_results(folder, rows, [5, 100], same_corpus=False)
    table = tables_of(folder)["device_specific"]
    ((name, *values),) = table.rows
    assert [name, *map(str, values[4:])] == ["S1", "41.5", "+1.5", "-0.5", "+3.5"]
    assert values[:4] == [None] * 4
    assert traced((folder / "report.html").read_text(), folder)
    write_results(folder, rows[:1], [5, 100], same_corpus=False)
    assert "device_specific" not in tables_of(folder)
