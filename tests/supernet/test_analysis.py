"""Rows of the paper's tables and figures from a supernet's results."""

import statistics

import pytest

from dcase_system.supernet.analysis import (
    Alone,
    agreement,
    all_scored,
    best_of_spaces,
    figure4,
    improved,
    table1,
)


def one(params, score, ratio):
    return {"ratios": [[ratio, 1.0], [ratio]], "params": params, "macs": 9, "score": score}


def window(name, published, **found):
    return {"constraint": name, "published": published, "low": 0.0, "high": 1.0, **found}


SPACES = {
    "2,2,X": [
        window(
            "0.8M",
            0.8,
            random=[one(120, 0.5, 0.4), one(100, 0.4, 0.6)],
            nsga2=[one(120, 0.5, 0.4), one(110, 0.9, 0.8)],
        ),
        window("1.8M", 1.8, random=[one(200, 0.6, 1.0)], nsga2=[one(210, 0.6, 0.2)]),
    ],
    "none": [window("0.8M", 0.8, random=[one(90, 0.2, 0.4)])],
}


def test_figure_3_has_the_best_of_each_space_search_and_constraint():
    columns = ("space", "search", "constraint", "params", "score")
    assert [tuple(row[name] for name in columns) for row in best_of_spaces(SPACES)] == [
        ("EW+ED=[2,2,X]", "random", "0.8M", 120, 0.5),
        ("EW+ED=[2,2,X]", "nsga2", "0.8M", 120, 0.5),
        ("EW+ED=[2,2,X]", "random", "1.8M", 200, 0.6),
        ("EW+ED=[2,2,X]", "nsga2", "1.8M", 210, 0.6),
        ("EW-only", "random", "0.8M", 90, 0.2),
    ]


def test_figure_4_is_of_the_random_draws_alone():
    """NSGA-II's 0.9 is in no mean: it goes where scores are high."""
    first, second, third = figure4(SPACES)
    assert first["scores"] == [0.5, 0.4]
    assert (first["mean"], first["n"]) == (pytest.approx(0.45), 2)
    assert first["deviation"] == pytest.approx(statistics.stdev([0.5, 0.4]))
    assert (second["n"], second["deviation"]) == (1, None)
    assert (third["space"], third["constraint"], third["published"]) == ("EW-only", "0.8M", 0.8)


def test_what_was_scored_is_told_apart_by_space_and_search_and_the_front_is_of_all():
    rows = [
        (row["space"], row["search"], row["params"], row["on_front"]) for row in all_scored(SPACES)
    ]
    named = "EW+ED=[2,2,X]"
    assert rows == [
        ("EW-only", "random", 90, True),
        (named, "random", 100, True),
        (named, "nsga2", 110, True),
        (named, "random", 120, False),
        (named, "nsga2", 120, False),
        (named, "random", 200, False),
        (named, "nsga2", 210, False),
    ]
    assert all_scored(SPACES)[1]["spec"] == "0.6-1|0.6"


CHOSEN = [
    {"constraint": "0.8M", "published": 0.8, "params": 900, "map": 0.266},
    {"constraint": "2.8M", "published": 2.8, "params": 2_700, "map": 0.277},
    {"constraint": "3.8M", "published": 3.8, "params": 3_600, "map": 0.279},
]
ALONE = [Alone(3_500, 0.248, 0.283, ("2.8M", "3.8M")), Alone(1_000, 0.212, 0.248, ("0.8M",))]


def test_table_1_goes_by_size_and_has_shares_of_the_teacher():
    rows = table1(0.296, 5_200, ALONE, CHOSEN)
    assert [(row["model"], row["params"]) for row in rows] == [
        ("teacher", 5_200),
        *[("baseline", 1_000), ("kd", 1_000), ("ofa", 900)],
        *[("baseline", 3_500), ("kd", 3_500), ("ofa", 2_700), ("ofa", 3_600)],
    ]
    assert rows[3]["params_share"] == pytest.approx(0.173, abs=5e-4)
    assert rows[3]["map_share"] == pytest.approx(0.899, abs=5e-4)
    assert [row["published"] for row in rows] == [
        *([], [0.8], [0.8], [0.8]),
        *([2.8, 3.8], [2.8, 3.8], [2.8], [3.8]),
    ]


def test_improvement_is_relative_to_the_network_of_the_same_row():
    small, _, large = improved(CHOSEN, ALONE)
    assert small["over_baseline"] == pytest.approx(0.266 / 0.212 - 1)
    assert small["over_kd"] == pytest.approx(0.266 / 0.248 - 1)
    assert large["over_kd"] == pytest.approx(0.279 / 0.283 - 1)
    (none,) = improved(CHOSEN[:1], [Alone(1, 0.0, 0.1, ("0.8M",))])
    assert none["over_baseline"] is None


def test_agreement_is_kendalls_tau_or_unknown():
    rows = [{"score": score, "alone": alone} for score, alone in ((1, 2), (2, 3), (3, 1))]
    assert agreement(rows)["kendall_tau"] == pytest.approx(-1 / 3)
    assert agreement([{"score": 1, "alone": 1}] * 3)["kendall_tau"] is None
