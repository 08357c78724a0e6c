"""The recipe that lays the ways to a small network side by side."""

import json
import os
import signal
import time

import pytest

from tests.commands import Started, command, run, tiny_clips, too_wide
from tests.reporting.tracing import traced

RECIPE = "recipes.three_ways"
TOY = [
    *("--epochs=1", "--batch_size=16", "--base_channels=16", "--budgets=2", "--trials=2"),
    *("--samples=2", "--candidates=0", "--tflite_formats="),
]


def test_all_ways_meet_the_budget_and_are_shown(place):
    """Without random networks; the test marked slow has them."""
    out = place / "three_ways"
    done = run(RECIPE, *tiny_clips(place), *TOY, f"--output_dir={out}")
    assert done.returncode == 0, done.stderr
    assert too_wide(done) == []
    assert "epochs: wide 1, supernet 1; for each of 1 budgets alone 1" in done.stderr
    results = json.loads((out / "results.json").read_text())
    by_way = {row["way"]: row for row in results["networks"]}
    assert list(by_way) == ["dense", "pruned", "inherited", "tuned"]
    assert all(row["macs"] <= 2_000_000 for row in by_way.values())
    assert by_way["inherited"]["params"] == by_way["tuned"]["params"]
    seconds = json.loads((out / "processor_seconds.json").read_text())
    assert {"seed0/supernet", "seed0/search_2M", "seed0/inherited_2M"} <= set(seconds)
    assert traced((out / "report.html").read_text(), out) > 40


@pytest.mark.slow
def test_a_killed_run_ends_with_the_bytes_of_an_uninterrupted_one(place):
    flags = [*tiny_clips(place), *TOY, "--candidates=1", "--tflite_formats=float16", "--ranked=2"]
    whole, killed = (place / name for name in ("whole", "killed"))
    done = run(RECIPE, *flags, f"--output_dir={whole}")
    assert done.returncode == 0, done.stderr
    line = command(RECIPE, *flags, f"--output_dir={killed}")
    started = Started(line)
    while not (killed / "seed0" / "supernet.metrics.jsonl").exists():
        time.sleep(0.05)
    os.kill(started.process.pid, signal.SIGKILL)
    assert started.wait().returncode == -signal.SIGKILL
    assert not (killed / "results.json").exists()
    again = run(RECIPE, *flags, f"--output_dir={killed}")
    assert again.returncode == 0, again.stderr
    names = ["results.json", "seed0/supernet.metrics.jsonl", "seed0/tuned_2M/spec.json"]
    for name in (*names, "seed0/edge_2M/tuned_float16.tflite"):
        assert (whole / name).read_bytes() == (killed / name).read_bytes(), name


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
