"""The page of Table 4: traceable numbers, unfinished runs, hostile names."""

import json

import pytest

from dcase_system.core.files import write_json, write_text
from dcase_system.reporting.comparison import compare
from dcase_system.reporting.content import Note, Picture, Table
from dcase_system.reporting.html import as_html
from dcase_system.reporting.report import page_of
from dcase_system.reporting.scene_networks import networks_summary
from dcase_system.runs import join
from tests.reporting.tracing import traced

HOSTILE = '<b>A&"$x$'
SCORE = {"accuracy": 91.04, "clip_accuracy": 90.51, "loss": 0.2345, "logloss": 0.3456}
SCORE["intervals_95"] = {"accuracy": [85.04, 95.0], "clip_accuracy": [84.44, 94.96]}
NAMES = ("mobilenet_v1", "scene_a_table3", HOSTILE)


def row(name, precision):
    return {
        "network": name,
        "precision": precision,
        "mib": 0.4149,
        **{key: SCORE[key] for key in ("clip_accuracy", "accuracy", "loss")},
    }


@pytest.fixture
def run_dir(tmp_path):
    specs = {name: {"kind": "mobilenet"} for name in NAMES}
    join(tmp_path, {"kind": "scene_networks", "networks": specs, "final": {"seed": 7}, "seed": 3})
    layers = ["3 × 3 Stem Conv. (8)", "GlobalAvgPool", "Fully Connected", "3-way Sigmoid"]
    networks = [
        {
            "name": name,
            "layers": layers if name.startswith("scene") else None,
            "complexity": {
                "params": 1_000,
                "macs": 2e6,
                "bytes": {"float32": 4_000, "float16": 2_000},
            },
            "scores": {"keras_float32": SCORE, "keras_float16": SCORE},
        }
        for name in NAMES
    ]
    table4 = [row(NAMES[0], "float32"), row(NAMES[1], "float32"), row(NAMES[1], "float16")]
    classes = ["airport", "bus", "park", "tram"]
    results = {
        "corpus": "toys",
        "classes": classes,
        "networks": networks,
        "table4": [*table4, row(HOSTILE, "float32")],
    }
    write_json(tmp_path / "results.json", results)
    log = "".join(json.dumps({"epoch": 1 + i, "loss": 1 / (1 + i)}) + "\n" for i in range(3))
    for name in NAMES[:2]:
        write_text(tmp_path / name / "metrics.jsonl", log)
    return tmp_path


def test_every_number_stands_where_it_says(run_dir):
    page = as_html(page_of(run_dir))
    assert traced(page, run_dir) > 4 * 4 + 3 * 4
    assert "<b>" not in page


def test_published_rows_stand_beside_ours_and_are_said_to_be_of_another_corpus(run_dir):
    tables = {table.name: table for table in page_of(run_dir).blocks(Table)}
    table = tables["table4"]
    assert table.title.endswith("ours: clips of toys; published: TAU 2020 3Class")
    assert [line[-2:] for line in table.rows] == [
        ("12.2 MB", "94.8 %"),
        ("0.42 MB", "95.6 %"),
        ("0.21 MB", "95.6 %"),
        (None, None),
    ]
    assert list(tables["table3"].columns) == [
        *("", "scene_a_table3", "published Model A", "published Model B")
    ]
    assert [str(cell) for cell in tables["costs"].rows[0][1:]] == ["1,000", "2.0", "4,000", "2,000"]


def test_intervals_and_the_chance_level_are_on_the_page(run_dir):
    page = page_of(run_dir)
    (shown,) = (table for table in page.blocks(Table) if table.name == "intervals")
    assert [str(cell) for cell in shown.rows[0][2:4]] == ["84.4", "95.0"]
    assert any("chance level 25.0 % (4 classes)" in note.text for note in page.blocks(Note))


def test_the_summary_fits_80_columns(run_dir):
    text = networks_summary(run_dir)
    assert max(map(len, text.splitlines())) <= 80
    assert "95.6 %" in text and "90.5" in text


def test_a_half_finished_run_says_so(run_dir):
    (run_dir / "results.json").unlink()
    page = page_of(run_dir)
    notes = [note.text for note in page.blocks(Note)]
    assert "No networks: results.json is missing." in notes
    assert f"No log of {HOSTILE}: {HOSTILE}/metrics.jsonl is missing." in notes
    assert [one.name for one in page.blocks(Picture)] == ["loss"]
    assert networks_summary(run_dir) == ""


@pytest.mark.parametrize("content", ["{", "[]", '{"networks": [3, {"layers": 4}], "table4": [{}]}'])
def test_broken_results_are_a_page(run_dir, content):
    (run_dir / "results.json").write_text(content)
    traced(as_html(page_of(run_dir)), run_dir)


def test_networks_are_compared_with_other_runs(run_dir):
    rows = compare([run_dir]).content["runs"]
    assert [one["run"].split(", ")[1] for one in rows] == list(NAMES)
    assert rows[0]["accuracy"] == SCORE["accuracy"] and rows[0]["params"] == 1_000
    assert (rows[0]["low"], rows[0]["high"], rows[0]["chance"]) == (85.04, 95.0, 25.0)
