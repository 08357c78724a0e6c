"""Students that are trained wide and pruned: their stages, logs, widths, and interrupted rounds."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from dcase_system.challenge.student import stage
from dcase_system.challenge.student.plan import StudentPlan
from dcase_system.challenge.student.train import train_student
from dcase_system.complexity.counter import count
from dcase_system.complexity.sparsity import sparsity_report
from dcase_system.models import registry
from dcase_system.models.stored import load_network
from dcase_system.pruning.rounds import MagnitudeRound, PruningRound
from tests import toys
from tests.training.curves import assert_drawn, points

ROUND = PruningRound(ratio=0.5, updates=2, epochs=2, tuning_epochs=1)
PLAN = StudentPlan(
    architecture=toys.NAME,
    rounds=(ROUND,),
    epochs=1,
    batch_size=16,
    validation_fraction=0.3,
    mixup_alpha=0.3,
)
pytestmark = pytest.mark.usefixtures("toy")
STAGES = ("wide", "pruned1", "student")


@pytest.fixture(scope="module")
def run_dir(data, toy, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("run")
    train_student(run_dir, PLAN, data)
    return run_dir


def widths(folder):
    spec = registry.read_spec(folder / "spec.json")
    return spec.stem_inner, spec.stem_channels, [block.expanded for block in spec.blocks]


def test_a_round_halves_the_widths_and_tuning_keeps_them(run_dir):
    found = [widths(run_dir / stage) for stage in STAGES]
    assert [stem for _, stem, _ in found] == [16, 8, 8]
    assert [inner for inner, _, _ in found] == [(4, 4), (2, 2), (2, 2)]
    assert found[2] == found[1]
    assert load_network(run_dir / "student").output_shape == (None, 10)


def test_every_stage_keeps_its_own_log(run_dir):
    for name in STAGES[:-1]:
        assert (run_dir / f"{name}.metrics.jsonl").is_file()
    assert (run_dir / "metrics.jsonl").is_file()
    assert (run_dir / "pruned1.pruning.jsonl").is_file()
    assert not (run_dir / "checkpoints").exists()


def test_every_stage_has_its_own_curves(run_dir):
    curves = run_dir / "tensorboard"
    assert {path.name for path in curves.iterdir()} == set(STAGES)
    for name, prefix in (("wide", "wide."), ("pruned1", "pruned1."), ("student", "")):
        assert_drawn(run_dir / f"{prefix}metrics.jsonl", curves / name)
    tags = {tag for tag, _, _ in points(curves / "student")}
    assert {
        f"epoch/{name}" for name in ("loss", "accuracy", "val_accuracy", "learning_rate")
    } < tags
    assert_drawn(run_dir / "pruned1.pruning.jsonl", curves / "pruned1" / "pruning", "step")


def test_updates_are_logged_with_the_accuracy_on_held_out_clips(run_dir):
    lines = (run_dir / "pruned1.pruning.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    # AGP in two updates: 0.5 (1 - (1 - 1/2)^3), then all of it.
    assert [row["ratio"] for row in rows if row["ratio"]] == [0.4375, 0.5]
    assert all({"step", "val_accuracy", "val_logloss"} <= row.keys() for row in rows)
    assert [row["step"] for row in rows] == sorted({row["step"] for row in rows})


@pytest.mark.slow
def test_an_interrupted_round_goes_on_and_ends_with_the_same_network(
    run_dir, data, tmp_path, monkeypatch, caplog
):
    caplog.set_level("INFO", "dcase_system")

    def interrupt(*_):
        raise KeyboardInterrupt

    shutil.copytree(run_dir / "wide", tmp_path / "wide")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(stage, "slim", interrupt)  # when the training with masks is over
        train_student(tmp_path, PLAN, data)
    train_student(tmp_path, PLAN, data)
    assert "wide: already done, skipped" in caplog.text
    assert "resuming after epoch 2" in caplog.text
    for one, other in zip(
        load_network(run_dir / "student").weights,
        load_network(tmp_path / "student").weights,
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    for name in ("pruned1.metrics.jsonl", "pruned1.pruning.jsonl"):
        assert (run_dir / name).read_text() == (tmp_path / name).read_text()
    curves = tmp_path / "tensorboard" / "pruned1"
    assert_drawn(tmp_path / "pruned1.metrics.jsonl", curves)
    assert_drawn(tmp_path / "pruned1.pruning.jsonl", curves / "pruning", "step")


def test_a_second_round_goes_on_from_the_first(run_dir, data, tmp_path, caplog):
    """Progressive pruning: the last stage of one round is an inner stage of two."""
    caplog.set_level("INFO", "dcase_system")
    copied = shutil.copytree(run_dir, tmp_path / "run")
    train_student(copied, replace(PLAN, rounds=(ROUND, replace(ROUND, ratio=0.25))), data)
    for name in ("wide", "pruned1"):
        assert f"{name}: already done, skipped" in caplog.text
    assert "pruned2: done" not in caplog.text
    assert widths(copied / "student")[1] == 6


@pytest.mark.slow
def test_a_round_of_few_steps_reaches_its_ratio(run_dir, data, tmp_path):
    copied = shutil.copytree(run_dir, tmp_path / "run")
    train_student(copied, replace(PLAN, rounds=(replace(ROUND, updates=1_000, epochs=1),)), data)
    assert widths(copied / "student")[1] == 8


@pytest.mark.slow
def test_taylor_importance_and_limits_decide_what_goes(run_dir, data, tmp_path):
    copied = shutil.copytree(run_dir, tmp_path / "run")
    limited = PruningRound(
        max_bytes=6_000, ratios="global", importance="taylor", updates=2, epochs=1, tuning_epochs=1
    )  # of 8,504
    train_student(copied, replace(PLAN, rounds=(limited,)), data)
    params = count(
        registry.build_fixed(registry.read_spec(copied / "student" / "spec.json"))
    ).params
    assert 5_700 < 2 * params <= 6_000


@pytest.mark.slow
def test_magnitude_pruning_leaves_the_widths_and_sets_zeros(run_dir, data, tmp_path, caplog):
    caplog.set_level("INFO", "dcase_system")
    copied = shutil.copytree(run_dir, tmp_path / "run")
    zeros = MagnitudeRound(sparsity=0.6, updates=2, epochs=2)
    train_student(copied, replace(PLAN, rounds=(zeros,)), data)
    assert "wide: already done, skipped" in caplog.text
    assert widths(copied / "student") == widths(copied / "wide")
    report = sparsity_report(load_network(copied / "student"), {})
    assert report["sparsity"] == pytest.approx(0.6, abs=0.01)
    rows = [json.loads(line) for line in (copied / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(0 <= row["val_accuracy"] <= 100 for row in rows)
    assert_drawn(copied / "metrics.jsonl", copied / "tensorboard" / "student")
