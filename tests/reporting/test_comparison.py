"""Comparison of runs."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from dcase_system.core.errors import InputError
from dcase_system.reporting.comparison import write_comparison
from dcase_system.reporting.content import Table
from dcase_system.reporting.html import REPORT
from dcase_system.reporting.tables import as_text
from tests.reporting.runs import write_run
from tests.reporting.tracing import traced


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs on the same clips; the second is much better."""
    folder = tmp_path_factory.mktemp("runs")
    return [write_run(folder / "weak", 0.4, seed=1), write_run(folder / "good", 0.9, seed=2)]


def compared(runs, folder):
    write_comparison(runs, folder)
    return json.loads((folder / "comparison.json").read_text())


def test_every_number_is_in_the_comparison(runs, tmp_path):
    write_comparison(runs, tmp_path)
    assert traced((tmp_path / REPORT).read_text(), tmp_path) > 20


def test_accuracies_stand_beside_the_chance_level(runs, tmp_path):
    content = compared(runs, tmp_path)
    assert [row["chance"] for row in content["runs"]] == [10.0, 10.0]
    assert "chance %" in (tmp_path / REPORT).read_text()


def test_the_difference_is_that_of_the_accuracies_and_lies_in_its_interval(runs, tmp_path):
    content = compared(runs, tmp_path)
    weak, good = (row["accuracy"] for row in content["runs"])
    (row,) = content["differences"]
    assert row["difference"] == pytest.approx(good - weak)
    assert 0 < row["low"] < row["difference"] < row["high"]
    assert row["only_this"] > row["only_first"]


def test_the_interval_is_paired(runs, tmp_path):
    """A run that differs on one recording alone: far narrower than the two intervals are."""
    other = shutil.copytree(runs[0], tmp_path / "other")
    path = other / "dev_test" / "predictions.csv"
    table = pd.read_csv(path, sep="\t")
    wrong = table.index[table.predicted != table.scene_label][0]
    table.loc[wrong, "predicted"] = table.scene_label[wrong]
    table.to_csv(path, sep="\t", index=False)
    (row,) = compared([runs[0], other], tmp_path)["differences"]
    assert (row["only_first"], row["only_this"]) == (0, 1)
    assert row["low"] >= 0 and row["high"] < 5


def test_a_run_differs_from_itself_by_nothing(runs, tmp_path):
    copy = shutil.copytree(runs[0], tmp_path / "copy")
    (row,) = compared([runs[0], copy], tmp_path)["differences"]
    assert [row[key] for key in ("difference", "low", "high")] == [0, 0, 0]


def test_the_order_of_the_clips_does_not_matter(runs, tmp_path):
    shuffled = shutil.copytree(runs[1], tmp_path / "shuffled")
    path = shuffled / "dev_test" / "predictions.csv"
    table = pd.read_csv(path, sep="\t").sample(frac=1, random_state=0)
    table.to_csv(path, sep="\t", index=False)
    one, other = (
        compared([runs[0], run], tmp_path)["differences"][0] for run in (runs[1], shuffled)
    )
    for key in ("difference", "low", "high", "only_first", "only_this"):
        assert one[key] == pytest.approx(other[key], abs=1e-9)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.unlink(), "it has no predictions"),
        (lambda path: path.write_text("filename\tpredicted\n"), "another version"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "it has"),
        (lambda path: write_run(path.parents[1], recordings=7), "scored on other clips"),
    ],
)
def test_what_cannot_be_paired_is_said(runs, tmp_path, change, said):
    other = shutil.copytree(runs[1], tmp_path / "other")
    change(other / "dev_test" / "predictions.csv")
    page = write_comparison([runs[0], other], tmp_path)
    assert said in json.loads((tmp_path / "comparison.json").read_text())["not_paired"][0]["fault"]
    assert {table.name for table in page.blocks(Table)} >= {"comparison"}


def test_searches_and_teachers_stand_beside_students(runs, tmp_path):
    def write(name, settings, other, content):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"settings": settings}))
        (folder / other).write_text(json.dumps(content))
        return folder

    teachers = write(
        "teachers",
        {"kind": "teachers"},
        "ensemble.json",
        {"dev_test": {"ensemble": {"accuracy": 78.0, "logloss": 0.7}}},
    )
    supernet = write(
        "net",
        {"kind": "supernet"},
        "results.json",
        {"chosen": [{"constraint": "0.8M", "map": 0.41, "params": 9}]},
    )
    scores = {"keras_float16": {"accuracy": 53.6, "logloss": 1.4}}
    search = write(
        "search",
        {"kind": "scene_search"},
        "results.json",
        {
            "chosen": [
                {"method": "random", "model": "A", "scores": scores, "complexity": {"params": 5}}
            ]
        },
    )
    page = write_comparison([runs[0], teachers, supernet, search], tmp_path / "page")
    names = [row[0] for row in page.blocks(Table)[0].rows]
    for name, end in zip(names, ("weak", "teachers", "net, 0.8M", "search, random A"), strict=True):
        assert name.endswith(end)
    text = as_text(page.blocks(Table)[0])
    for part in ("78.0", "41.0", "53.6"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_folder_that_is_no_run_is_refused(runs, tmp_path):
    with pytest.raises(InputError, match="not a run directory"):
        write_comparison([runs[0], tmp_path], tmp_path / "page")


def test_runs_of_one_name_are_told_apart(runs, tmp_path):
    copies = [shutil.copytree(runs[0], tmp_path / system / "split_5") for system in ("S1", "S3")]
    names = [row["run"] for row in compared(copies, tmp_path)["runs"]]
    assert names == ["S1/split_5", "S3/split_5"]


def test_zeros_are_shown_with_what_each_edition_counts(runs, tmp_path):
    page = write_comparison(runs, tmp_path)
    (sizes,) = (table for table in page.blocks(Table) if table.name == "sizes")
    assert [str(cell) for cell in sizes.rows[0][1:]] == [
        *("25.0", "1,000", "750", "700", "complies", "OVER")
    ]


def test_paired_intervals_cover_a_true_difference_as_often_as_they_say():
    """Two systems of equal accuracy on 60 recordings, 200 times: zero is inside about 95 %."""
    from dcase_system.training.metrics import clustered_interval

    random = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        recordings = np.repeat(np.arange(60), 4)
        chance = np.repeat(random.uniform(0.3, 0.9, 60), 4)
        one, other = (random.random(240) < chance for _ in range(2))
        low, high = clustered_interval(
            other.astype(float) - one, recordings % 5, recordings, draws=300
        )
        inside += low <= 0 <= high
    assert 0.90 <= inside / 200 <= 0.99
