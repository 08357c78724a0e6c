"""The page of a teachers' run."""

import json

import pytest

from dcase_system.reporting.content import Note, Picture, Table
from dcase_system.reporting.numbers import plain
from dcase_system.reporting.report import page_of, write_report
from dcase_system.reporting.tables import as_text
from dcase_system.reporting.teachers_page import read_ensemble_tables
from tests.reporting.tracing import traced

ROW = {
    "accuracy": 71.26,
    "logloss": 0.9,
    "calibration_error": 5.0,
    "entropy": 0.5,
    "agreement": 88.0,
}


def write(folder, *members):
    """Writes a teachers' run with these members."""
    settings = {
        "kind": "teachers",
        "split": 25,
        "members": {name: {"seed": 1} for name in members},
        "scenes": ["bus", "park", "tram", "metro"],
    }
    config = {"command": ["x"], "settings": settings, "versions": {}, "code": {}}
    rows = {**dict.fromkeys(members, ROW), "ensemble": {**ROW, "agreement": 100.0}}
    scored = {name: {**row, "interval_95": [65.52, 76.01]} for name, row in rows.items()}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "ensemble.json").write_text(json.dumps({"train": rows, "dev_test": scored}))
    for name in members:
        (folder / name).mkdir()
        (folder / name / "metrics.jsonl").write_text('{"epoch": 1, "loss": 2.0}\n')
    return folder


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path, "1-passt_s", "2-cp_mobile")


def test_a_row_a_teacher_and_the_ensemble_last(folder):
    train, dev_test = read_ensemble_tables(folder)
    assert [row[0] for row in train.rows] == ["1-passt_s", "2-cp_mobile", "ensemble"]
    shown = ["71.3", "65.5", "76.0", "0.900", "5.0", "0.500", "88.0"]
    assert [str(cell) for cell in dev_test.rows[0][1:]] == shown
    assert [str(cell) for cell in train.rows[0][1:]] == [shown[0], *shown[3:]]
    assert max(len(line) for one in (train, dev_test) for line in as_text(one).splitlines()) <= 80


def test_teachers_by_folds_have_a_table_of_the_clips_they_left_out(folder):
    path = folder / "ensemble.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "out_of_fold": content["train"]}))
    names = [table.name for table in read_ensemble_tables(folder)]
    assert names == ["teachers_train", "teachers_out_of_fold", "teachers_dev_test"]
    tables = map(as_text, read_ensemble_tables(folder))
    assert max(len(line) for table in tables for line in table.splitlines()) <= 80


def test_one_teacher_is_not_repeated_as_an_ensemble(tmp_path):
    folder = write(tmp_path, "1-passt_s")
    for table in read_ensemble_tables(folder):
        assert [row[0] for row in table.rows] == ["1-passt_s"]
        assert "agrees %" not in table.columns and "ensemble" not in table.title


@pytest.mark.parametrize(
    ("members", "title", "summary", "verdict"),
    [
        (["1-a"], "Teacher of split25", "1 teacher: 1-a.", "teacher's macro accuracy, %"),
        (
            ["1-a", "2-b"],
            "Teachers of split25",
            "2 teachers: 1-a, 2-b.",
            "ensemble's macro accuracy, %",
        ),
    ],
)
def test_teachers_are_counted_in_the_right_number(tmp_path, members, title, summary, verdict):
    page = page_of(write(tmp_path, *members))
    assert (page.title, page.summary, page.verdicts[0].name) == (title, summary, verdict)
    remark = "95 % interval 65.5 to 76.0; chance level 25.0 % (4 classes)"
    assert plain(page.verdicts[0].remark) == remark


def test_teachers_of_several_labels_have_their_precision_on_top(folder):
    row = {"map": 0.4, "chance": 0.125, "interval_95": [0.35, 0.45]}
    rows = {"1-passt_s": row, "2-cp_mobile": row, "ensemble": row}
    (folder / "ensemble.json").write_text(json.dumps({"dev_test": rows}))
    (verdict,) = page_of(folder).verdicts
    assert verdict.name == "ensemble's mean average precision, %" and str(verdict.value) == "40.0"
    assert plain(verdict.remark).startswith("95 % interval 35.0 to 45.0; chance level 12.5 %")
    traced(write_report(folder).read_text(), folder)


def test_every_number_is_in_the_ensembles_list(folder):
    assert traced(write_report(folder).read_text(), folder) == 2 + 2 + 2 + 3 * 5 + 3 * 7 + 2 * 2
    assert [picture.name for picture in page_of(folder).blocks(Picture)] == ["loss"]


def test_teachers_that_stopped_half_way_have_a_page(folder):
    (folder / "ensemble.json").unlink()
    for log in folder.glob("*/metrics.jsonl"):
        log.unlink()
    page = page_of(folder)
    said = " ".join(note.text for note in page.blocks(Note))
    assert "ensemble.json is missing" in said and "metrics.jsonl is missing" in said
    assert {table.name for table in page.blocks(Table)} == {"origin"}
