"""The recipe that lays the ways to a small network side by side."""

import json

import pytest

from tests.commands import run, tiny_clips, too_wide
from tests.reporting.tracing import traced

RECIPE = "recipes.three_ways"
TOY = [
    *("--epochs=3", "--batch_size=16", "--base_channels=16", "--budgets=2", "--trials=2"),
    *("--supernet_epochs=1", "--tuning_epochs=1", "--candidates=1", "--candidate_epochs=1"),
    *("--samples=2", "--tflite_formats="),
]


def test_all_ways_meet_the_budget_and_are_shown(place):
    out = place / "three_ways"
    done = run(RECIPE, *tiny_clips(place), *TOY, f"--output_dir={out}")
    assert done.returncode == 0, done.stderr
    assert too_wide(done) == []
    results = json.loads((out / "results.json").read_text())
    ways = [row["way"] for row in results["networks"]]
    assert ways == ["dense", "pruned", "inherited", "tuned", "random"]
    assert all(row["macs"] <= 2_000_000 for row in results["networks"])
    by_way = {row["way"]: row for row in results["networks"]}
    assert by_way["inherited"]["params"] == by_way["tuned"]["params"]
    traced((out / "report.html").read_text(), out)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--budgets=0.001"], "no network within the budget"),
        (["--budgets=small"], "--budgets: numbers are wrong"),
        (["--validation_fraction=0"], "validation fraction does not fit"),
        (["--seeds=1,1"], "seeds does not fit"),
        (["--distill"], "Unknown command line flag 'distill'"),
    ],
)
def test_wrong_flags_end_in_one_line(place, given, message):
    flags = [*tiny_clips(place), *TOY, *given, f"--output_dir={place / 'wrong'}"]
    done = run(RECIPE, *flags)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
