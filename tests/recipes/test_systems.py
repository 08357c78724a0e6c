"""The systems of the report as the recipes know them."""

import json

import pytest
from absl import flags
from absl.testing import flagsaver

from dcase_system.models import registry
from recipes import _systems
from tests.commands import on_tiny, run


@pytest.fixture(autouse=True)
def parsed_flags():
    flags.FLAGS.mark_as_parsed()


@pytest.mark.parametrize("name", _systems.SYSTEMS)
@pytest.mark.parametrize("total", [10, 40, 375])
def test_the_epochs_of_all_trainings_add_up(name, total):
    system = _systems.SYSTEMS[name]
    first, rounds = _systems.rounds_of(name, total)
    trained = [first, *(epochs for r in rounds for epochs in (r.epochs, r.tuning_epochs))]
    assert sum(trained) == total
    assert min(trained) >= 1
    assert [(r.ratio, r.schedule) for r in rounds] == list(system.rounds)
    assert {system.architecture, system.demo_architecture} <= set(registry.ARCHITECTURES)


@flagsaver.flagsaver(target_macs=20_000_000, ratios="global", importance="taylor")
def test_targets_replace_the_ratio_of_the_last_round():
    _, (first, last) = _systems.rounds_of("S3", 100)
    assert (first.ratio, first.max_macs, first.ratios) == (0.34, None, "uniform")
    assert (last.ratio, last.max_macs, last.max_bytes, last.ratios) == (
        *(None, 20_000_000),
        *(None, "global"),
    )
    assert first.importance == last.importance == "taylor"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("system", "params", "complies"),
    [("S1", 63_748, True), ("S2", 64_875, False), ("S2c", 63_652, True), ("S3", 63_215, True)],
)
def test_pruned_systems_have_the_published_size(place, system, params, complies):
    out = place / system
    done = run("recipes.split5", *on_tiny(place), f"--system={system}", f"--output_dir={out}")
    complexity = json.loads((out / "complexity.json").read_text())
    assert complexity["params"] == params
    assert all(rule["complies"] for rule in complexity["rules"]["2024 Task 1"]) == complies
    if complies:
        assert done.returncode == 0, done.stderr
    else:
        assert "128,000" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--system=dense", "--target_macs=1000000"],
            "targets and ratios are for systems that are",
        ),
        (["--system=S1", "--target_bytes=10"], "no pruning meets the limits; expected at most"),
        (["--system=S1", "--ratios=global"], "pruning round says its end not at all or twice"),
    ],
)
def test_targets_that_cannot_be_met_end_in_one_line(place, arguments, message):
    out = f"--output_dir={place / 'refused'}"
    done = run("recipes.split5", *on_tiny(place), *arguments, out)
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (place / "refused" / "wide").exists()  # said before any training
