"""What a search says: growths, and the correlation of size and accuracy."""

import pytest

from dcase_system.scene_search.analysis import by_growth, size_correlations

CANDIDATES = [
    {"method": "random", "growth": 1.0 + (i % 2), "params": 1_000 * i, "accuracy": 50.0 + i}
    for i in range(6)
]


def test_growths_are_counted_and_averaged():
    first, second = by_growth(CANDIDATES)
    assert (first["growth"], first["candidates"], first["mean_accuracy"]) == (1.0, 3, 52.0)
    assert second["best_accuracy"] == 55.0


def test_growths_rise_within_each_method():
    other = [one | {"method": "nsga2"} for one in reversed(CANDIDATES)]
    found = [(row["method"], row["growth"]) for row in by_growth([*CANDIDATES, *other])]
    assert found == [("random", 1.0), ("random", 2.0), ("nsga2", 1.0), ("nsga2", 2.0)]


def test_size_and_accuracy_are_correlated_by_rank():
    (found,) = size_correlations(CANDIDATES)
    assert found["rank_correlation"] == pytest.approx(1.0)
    assert found["p_value"] < 0.01
    assert (found["candidates"], found["sizes"]) == (6, 6)


@pytest.mark.parametrize(
    "candidates", [CANDIDATES[:4], CANDIDATES[:1], [one | {"accuracy": 1.0} for one in CANDIDATES]]
)
def test_without_enough_to_rank_there_is_no_correlation(candidates):
    (found,) = size_correlations(candidates)
    assert found["rank_correlation"] is found["p_value"] is None
    assert found["candidates"] == len(candidates)
