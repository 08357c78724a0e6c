"""The page of a teachers' run."""

import json

import pytest

from dcase_system.reporting.content import Note, Picture, Table
from dcase_system.reporting.report import page_of, write_report
from dcase_system.reporting.tables import as_text
from dcase_system.reporting.teachers_page import read_ensemble_tables
from tests.reporting.tracing import traced

ROW = {"accuracy": 71.26, "logloss": 0.9, "entropy": 0.5, "agreement": 88.0}


@pytest.fixture
def folder(tmp_path):
    config = {
        "command": ["x"],
        "settings": {"kind": "teachers", "split": 25, "members": {"1-passt_s": {"seed": 1}}},
        "versions": {},
        "code": {},
    }
    rows = {"1-passt_s": ROW, "ensemble": {**ROW, "agreement": 100.0}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "ensemble.json").write_text(json.dumps({"train": rows, "dev_test": rows}))
    (tmp_path / "1-passt_s").mkdir()
    (tmp_path / "1-passt_s" / "metrics.jsonl").write_text('{"epoch": 1, "loss": 2.0}\n')
    return tmp_path


def test_a_row_a_teacher_and_the_ensemble_last(folder):
    train, dev_test = read_ensemble_tables(folder)
    assert [row[0] for row in train.rows] == ["1-passt_s", "ensemble"]
    assert [str(cell) for cell in dev_test.rows[0][1:]] == ["71.3", "0.900", "0.500", "88.0"]
    assert max(map(len, as_text(train).splitlines())) <= 80


def test_every_number_is_in_the_ensembles_list(folder):
    assert traced(write_report(folder).read_text(), folder) == 2 + 2 * 2 * 4 + 1
    assert [picture.name for picture in page_of(folder).blocks(Picture)] == ["loss"]


def test_teachers_that_stopped_half_way_have_a_page(folder):
    (folder / "ensemble.json").unlink()
    (folder / "1-passt_s" / "metrics.jsonl").unlink()
    page = page_of(folder)
    said = " ".join(note.text for note in page.blocks(Note))
    assert "ensemble.json is missing" in said and "metrics.jsonl is missing" in said
    assert {table.name for table in page.blocks(Table)} == {"origin"}
