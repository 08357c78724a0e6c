"""Tables of a scene search: growths, correlation of size and accuracy, the chosen networks."""

import pytest

from dcase_system.reporting.scene_search import (
    by_growth,
    chosen_rows,
    size_correlation,
    write_analysis,
)
from dcase_system.stages import write_config

CANDIDATES = [
    {"method": "random", "growth": 1.0 + (i % 2), "params": 1_000 * i, "accuracy": 50.0 + i}
    for i in range(6)
]
SCORE = {"accuracy": 91.0, "logloss": 0.25}
CHOSEN = {
    "method": "random",
    "architecture": "41a-22m_76_1.75",
    "params": 111_306,
    "macs": 260_819_635,
    "size_2020": 102_400,
    "accuracy": 88.0,
    "scores": {"keras_float16": SCORE, "tflite_float16": SCORE},
}
RESULTS = {"candidates": CANDIDATES, "chosen": [CHOSEN], "selected_on": "validation"}


def test_growths_are_counted_and_averaged():
    first, second = by_growth(CANDIDATES)
    assert (first["growth"], first["candidates"], first["mean accuracy %"]) == ("1", "3", "52.0")
    assert second["best accuracy %"] == "55.0"


def test_size_and_accuracy_are_correlated_by_rank():
    assert size_correlation(CANDIDATES)["random"].startswith("1.00 (p = 0.00, 6 candidates")
    assert "too few" in size_correlation(CANDIDATES[:4])["random"]


def test_the_chosen_network_against_the_limit():
    (row,) = chosen_rows(RESULTS)
    assert row["float16 KiB of 500"] == "100.0"
    assert row["validation accuracy %"] == "88.0"


@pytest.mark.parametrize("name", ["report.md", "growth.csv", "chosen.csv", "figures/search.png"])
def test_everything_is_written(tmp_path, name):
    write_config(tmp_path, {"seed": 3})
    write_analysis(tmp_path, RESULTS)
    assert (tmp_path / name).stat().st_size > 0
