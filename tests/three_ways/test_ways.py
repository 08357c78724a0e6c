"""The parts of the comparison: networks within budgets, processor time, differences."""

import time
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from dcase_system.challenge.student.plan import StudentPlan
from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.core.files import write_json
from dcase_system.models import registry
from dcase_system.models.cp_mobile import sscp_mobile
from dcase_system.runs import stages
from dcase_system.supernet.budgets import Budget, Budgets
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.mobile_space import MobileSpace
from dcase_system.three_ways.depthwise import random_depthwise
from dcase_system.three_ways.plan import ThreeWaysPlan, plan_in_words
from dcase_system.three_ways.processor_time import FILE, ProcessorTime
from dcase_system.three_ways.scores import difference
from dcase_system.three_ways.sub_networks import SupernetSearch
from dcase_system.three_ways.ways import uniform_spec

STUDENT = StudentPlan(architecture="sscp_mobile_64", epochs=20, validation_fraction=0.2)
PLAN = ThreeWaysPlan(student=STUDENT, supernet_epochs=8, tuning_epochs=4)


def test_a_network_of_one_ratio_is_the_widest_within_a_budget():
    base = sscp_mobile(64)
    spec = uniform_spec(base, PLAN.limits(30_000_000))
    assert 29_000_000 < costs_of(spec).macs <= 30_000_000
    assert uniform_spec(base, Budgets((Budget("macs", 1e9),))) == base
    with pytest.raises(InputError, match="no network within the budget"):
        uniform_spec(base, PLAN.limits(1_000))


def test_random_depthwise_networks_meet_all_budgets():
    limits = PLAN.limits(5_000_000, 0.8)
    drawn = list(islice(random_depthwise(limits, 10, (256, 65), seed=0), 3))
    assert len(set(drawn)) == 3
    for spec in drawn[:1]:
        counted = count(registry.build(spec))
        assert 4_000_000 <= counted.macs <= 5_000_000
        assert counted.bytes("float16") <= 128_000
    assert drawn == list(islice(random_depthwise(limits, 10, (256, 65), seed=0), 3))
    with pytest.raises(InputError, match="no depthwise CNN within the budget"):
        next(random_depthwise(PLAN.limits(10), 10, (256, 65), seed=0))


def test_pruning_starts_from_the_same_wide_network_at_every_budget():
    trainings = [PLAN.pruned(macs) for macs in PLAN.budgets]
    assert {one.architecture for one in trainings} == {"sscp_mobile_64"}
    assert {(one.epochs, len(one.rounds)) for one in trainings} == {(8, 1)}
    assert [one.rounds[0].max_macs for one in trainings] == list(PLAN.budgets)


def test_processor_time_adds_up_over_interruptions_and_leaves_out_what_was_done(tmp_path):
    clock, folder = ProcessorTime(tmp_path), tmp_path / "stage"

    def work(seconds):
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass

    with pytest.raises(KeyboardInterrupt), clock.of(folder):
        work(0.05)
        raise KeyboardInterrupt
    interrupted = clock.seconds()["stage"]
    with clock.of(folder):
        work(0.05)
        stages.run_stage(folder, {}, lambda target: write_json(target / "result.json", 1))
    whole = clock.seconds()["stage"]
    assert 0.05 <= interrupted < whole - 0.05
    with clock.of(folder):
        work(0.05)
    assert clock.seconds()["stage"] == whole
    assert (tmp_path / FILE).exists()


def test_a_difference_is_the_mean_over_the_seeds_and_resamples_recordings():
    labels, locations = np.repeat([0, 1], 6), ("a", "b", "c") * 4
    clips = SimpleNamespace(labels=labels, locations=locations)
    data = SimpleNamespace(test=SimpleNamespace(clips=clips))

    def row(correct):
        return {"accuracy": 100 * np.mean(correct), "correct": correct}

    all_right, half = row([1] * 12), row([1, 0] * 6)
    found = difference([all_right, half], [half, half], data)
    assert found["difference"] == pytest.approx(25)
    assert found["interval"][0] <= 25 <= found["interval"][1]
    assert difference([half], [half], data)["interval"] == (0, 0)


def test_plans_that_do_not_fit_are_refused():
    for wrong in (
        {"student": replace(STUDENT, validation_fraction=0.0)},
        {"budgets": ()},
        {"budgets": (5, 5)},
        {"seeds": (-1,)},
    ):
        with pytest.raises(InputError, match="does not fit"):
            replace(PLAN, **wrong)


def test_the_epochs_of_all_trainings_are_said_before_they_start():
    plan = replace(PLAN, seeds=(0, 1), ranked=3)
    per_budget = 20 + 4 + 8 + 4 + (4 * 1 + 20)  # alone, pruned, pruned and tuned, tuned, random
    total = 2 * (8 + 8 + 4 * per_budget) + 3 * 20
    assert f"3 steps per epoch, {3 * total:,} in all" in plan_in_words(plan, 2 * 256 + 1)


def test_sub_networks_to_rank_are_different_even_in_a_narrow_range():
    search = SupernetSearch(None, None, MobileSpace(sscp_mobile(64)), STUDENT, None, 0, 0)
    found = search.spread(1_600_000, 2_000_000, 3, seed=0)
    macs = [costs_of(spec).macs for spec in found]
    assert len(set(found)) == 3
    assert macs == sorted(macs)


def test_statistics_come_from_batches_of_all_classes_without_held_out_clips(monkeypatch):
    """Lists are sorted by class; a batch of one class has less variance than all clips."""
    labels, held_out = np.repeat(np.arange(10), 100), np.tile([True, False, False, False], 250)
    data = SimpleNamespace(train=SimpleNamespace(audio=SimpleNamespace(take=lambda rows: rows)))
    monkeypatch.setattr(SupernetSearch, "_held_out", held_out)
    monkeypatch.setattr(SupernetSearch, "_features", lambda self, rows: rows)
    rows = SupernetSearch(
        None, None, MobileSpace(sscp_mobile(64)), STUDENT, data, 512, 0
    )._calibration
    assert len(set(rows)) == 512
    assert not held_out[rows].any()
    assert all(len(set(labels[batch])) == 10 for batch in np.split(rows, 8))
