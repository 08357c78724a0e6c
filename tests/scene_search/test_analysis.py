"""Analyses of a search: growths, histograms, sizes, correlation of size and accuracy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.papers import scene_search as paper
from dcase_system.scene_search.analysis import (
    MOST_BINS,
    by_growth,
    histograms,
    mean_sizes,
    size_correlations,
)
from dcase_system.scene_search.scene_space import SceneSpace

CANDIDATES = [
    {
        "method": "random",
        "growth": 1.0 + (i % 2),
        "params": 1_000 * i,
        "float32_kib": 4.0 * i,
        "clip_accuracy": 50.0 + i,
    }
    for i in range(6)
]


def test_growths_are_counted_and_averaged():
    first, second = by_growth(CANDIDATES)
    assert (first["growth"], first["candidates"], first["mean_accuracy"]) == (1.0, 3, 52.0)
    assert (first["mean_kib"], second["mean_kib"]) == (8.0, 12.0)
    assert second["best_accuracy"] == 55.0


def test_growths_rise_within_each_method():
    other = [one | {"method": "nsga2"} for one in reversed(CANDIDATES)]
    found = [(row["method"], row["growth"]) for row in by_growth([*CANDIDATES, *other])]
    assert found == [("random", 1.0), ("random", 2.0), ("nsga2", 1.0), ("nsga2", 2.0)]


def test_mean_sizes_are_compared_between_growths():
    other = [one | {"method": "nsga2", "float32_kib": 7.0} for one in CANDIDATES]
    assert mean_sizes([*CANDIDATES, *other]) == [
        {"method": "random", "mean_kib": 10.0, "largest_distance_kib": 2.0},
        {"method": "nsga2", "mean_kib": 7.0, "largest_distance_kib": 0.0},
    ]


def test_the_published_mean_sizes_are_those_of_the_space():
    """Section 4.4: "the mean model sizes of different growth ratios are similar, which are around
    374 ± 8 KB": so it is with 510 draws of ours."""
    space = SceneSpace()
    drawn = [one for one, _ in zip(space.candidates(0), range(paper.CANDIDATES), strict=False)]
    rows = [
        {
            "method": "random",
            "growth": one.growth,
            "float32_kib": space.counted_params(one) / 256,
            "clip_accuracy": 0.0,
        }
        for one in drawn
    ]
    (sizes,) = mean_sizes(rows)
    assert sizes["mean_kib"] == pytest.approx(paper.MEAN_SIZE_KB, abs=paper.SIZE_DEVIATION_KB)
    assert sizes["largest_distance_kib"] <= paper.SIZE_DEVIATION_KB


def test_histograms_are_normalised_over_common_bins():
    """Figure 4: "The y-axis represents the normalized count of models lying in the accuracy
    range"."""
    accuracies = {1.0: [92.0, 92.3, 93.1, 94.0], 2.0: [90.1, 90.2]}
    rows = [
        {"method": "random", "growth": growth, "clip_accuracy": accuracy}
        for growth, of_growth in accuracies.items()
        for accuracy in of_growth
    ]
    first, second = histograms(rows)
    assert first["edges"] == second["edges"] == [90.0 + 0.25 * step for step in range(17)]
    assert (first["growth"], first["candidates"], second["candidates"]) == (1.0, 4, 2)
    assert [first["shares"][at] for at in (8, 9, 12, 15)] == [0.25, 0.25, 0.25, 0.25]
    assert second["shares"][0] == 1.0


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40))
def test_every_candidate_is_in_a_bin_whatever_its_accuracy(accuracies):
    rows = [{"method": "m", "growth": 1.0, "clip_accuracy": one} for one in accuracies]
    (found,) = histograms(rows)
    assert sum(found["shares"]) == pytest.approx(1.0)
    assert len(found["edges"]) == len(found["shares"]) + 1 <= MOST_BINS + 1
    assert found["edges"][0] <= min(accuracies) and max(accuracies) <= found["edges"][-1]
    assert len(set(np.diff(found["edges"]).round(9))) == 1


def test_size_and_accuracy_are_correlated_by_rank():
    (found,) = size_correlations(CANDIDATES)
    assert found["rank_correlation"] == pytest.approx(1.0)
    assert found["p_value"] < 0.01
    assert (found["candidates"], found["sizes"]) == (6, 6)


@pytest.mark.parametrize(
    "candidates",
    [CANDIDATES[:4], CANDIDATES[:1], [one | {"clip_accuracy": 1.0} for one in CANDIDATES]],
)
def test_without_enough_to_rank_there_is_no_correlation(candidates):
    (found,) = size_correlations(candidates)
    assert found["rank_correlation"] is found["p_value"] is None
    assert found["candidates"] == len(candidates)
