"""Turns, ratios and the table of the benchmarks."""

import numpy as np

from tests.benchmarks.harness import Row, alternate, as_markdown, compared


def test_contenders_take_turns_and_a_first_round_is_dropped():
    calls, now = [], iter(range(100))
    contenders = {name: lambda name=name: calls.append(name) for name in "ab"}
    seconds = alternate(contenders, 3, clock=lambda: float(next(now)))
    assert calls == ["a", "b"] * 4
    assert {name: list(values) for name, values in seconds.items()} == {"a": [1] * 3, "b": [1] * 3}


def test_a_ratio_is_that_of_a_round_and_not_of_two_medians():
    seconds = {"ours": np.array([1.0, 10.0, 2.0]), "theirs": np.array([2.0, 20.0, 1.0])}
    (row,) = compared("part", seconds, items=10)
    assert (row.ours, row.theirs, row.ratio) == (5.0, 5.0, 2.0)
    assert compared("part", {"ours": seconds["ours"]}, 10) == [Row("part", 5.0, "clips/s")]


def test_no_ratio_is_rounded_in_our_favour():
    text = as_markdown([Row("part", 1_234.5, "clips/s", "peer", 9.87, 1.999), Row("b", 1, "x")])
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:]]
    assert rows == [
        ["part", "1,234", "clips/s", "peer", "9.87", "1.99"],
        ["b", "1", "x", "", "", ""],
    ]
