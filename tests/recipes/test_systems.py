"""The systems of the report as the recipes know them."""

import json

import pytest

from dcase_system.models import registry
from recipes import _common
from tests.recipes.commands import on_tiny, run


@pytest.mark.parametrize("name", _common.SYSTEMS)
@pytest.mark.parametrize("total", [10, 40, 375])
def test_the_epochs_of_all_trainings_add_up(name, total):
    system = _common.SYSTEMS[name]
    first, rounds = _common.rounds_of(system, total)
    trained = [first, *(epochs for r in rounds for epochs in (r.epochs, r.tuning_epochs))]
    assert sum(trained) == total
    assert min(trained) >= 1
    assert [(r.ratio, r.schedule) for r in rounds] == list(system.rounds)
    assert system.architecture in registry.ARCHITECTURES


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
