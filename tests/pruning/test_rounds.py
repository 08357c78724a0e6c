"""Where a round of pruning ends, and what it refuses."""

import numpy as np
import pytest

from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.models import cp_mobile, registry
from dcase_system.pruning.importance import l2_importance
from dcase_system.pruning.rounds import MagnitudeRound, PruningRound, Target, step_ratios
from dcase_system.pruning.slim import slim

EPOCHS = {"epochs": 1, "tuning_epochs": 1}
LIMITS_2024 = {"max_macs": 30_000_000, "max_bytes": 128_000}


@pytest.fixture(scope="module")
def network():
    return registry.build_fixed(cp_mobile.sscp_mobile(64))


def cost(network, target, ratio):
    counted = count(slim(network, target.kept(l2_importance(network), ratio)))
    return counted.params, counted.macs


def test_the_limits_of_2024_lead_to_the_authors_ratio(network):
    """S1's 0.5 is the smallest uniform ratio of base width 64 that meets both."""
    target = Target(PruningRound(**LIMITS_2024, **EPOCHS), network)
    assert target.ratio == 0.5
    assert cost(network, target, 0.5) == (63_748, 29_982_132)


def test_global_ratios_use_the_tighter_limit_fully(network):
    target = Target(PruningRound(**LIMITS_2024, ratios="global", **EPOCHS), network)
    params, macs = cost(network, target, target.ratio)
    assert 0.998 < max(macs / 30_000_000, params / 64_000) <= 1
    # The larger of the two shares that have to go: of the MACs.
    assert target.ratio == pytest.approx(1 - 30 / count(network).macs * 1e6, abs=1e-6)


def test_global_ratios_go_down_step_by_step(network):
    target = Target(PruningRound(max_macs=30_000_000, ratios="global", **EPOCHS), network)
    whole = count(network).macs
    macs = [cost(network, target, part * target.ratio)[1] for part in (0.25, 0.5, 1.0)]
    expected = [whole - part * (whole - 30_000_000) for part in (0.25, 0.5, 1.0)]
    np.testing.assert_array_less(macs, np.add(expected, 1))
    np.testing.assert_allclose(macs, expected, rtol=0.01)


def test_a_limit_that_is_met_already_prunes_nothing(network):
    for ratios in ("uniform", "global"):
        target = Target(PruningRound(max_macs=10**9, ratios=ratios, **EPOCHS), network)
        assert target.ratio == 0


@pytest.mark.parametrize("size", [3, 7, 96, 384])
def test_a_ratio_found_for_a_limit_survives_single_precision(size):
    """The schedule keeps seven digits of the ratio; int(size * ratio) must not fall by one."""
    for gone in range(1, size):
        ratio = np.ceil(gone / size * 1e7) / 1e7
        assert int(size * round(float(np.float32(ratio)), 7)) == gone


@pytest.mark.parametrize("limits", [{"max_macs": 1_000}, {"max_bytes": 10}])
@pytest.mark.parametrize("ratios", ["uniform", "global"])
def test_a_limit_that_nothing_meets_is_refused(network, limits, ratios):
    with pytest.raises(InputError, match="no pruning meets the limits"):
        Target(PruningRound(**limits, ratios=ratios, **EPOCHS), network)


@pytest.mark.parametrize(
    "settings",
    [{}, {"ratio": 0.5, "max_macs": 1}, {"ratio": 0.5, "ratios": "global"}, {"ratios": "global"}],
)
def test_a_round_ends_at_a_ratio_or_at_limits(settings):
    with pytest.raises(InputError, match="either a ratio or limits"):
        PruningRound(**settings, **EPOCHS)


@pytest.mark.parametrize("ratio", [1.0, -0.1, float("nan")])
def test_a_ratio_that_leaves_nothing_is_refused(ratio):
    with pytest.raises(InputError, match=r"pruning ratio out of range; expected \[0, 1\)"):
        PruningRound(ratio=ratio, **EPOCHS)


@pytest.mark.parametrize("settings", [{"sparsity": 1.0}, {"sparsity": 0.6, "pattern": "2:4"}])
def test_a_sparsity_that_cannot_be_is_refused(settings):
    with pytest.raises(InputError, match="sparsity out of range"):
        MagnitudeRound(**settings, epochs=1)


@pytest.mark.parametrize("schedule", ["agp", "linear", "constant"])
@pytest.mark.parametrize(("updates", "steps"), [(10, 400), (10, 4), (3, 1)])
def test_every_schedule_ends_within_the_training(schedule, updates, steps):
    ratios = step_ratios(schedule, 0.5, updates, steps)
    at = [step for step in range(steps + 1) if bool(ratios(step)[0])]
    assert float(ratios(at[-1])[1]) == pytest.approx(0.5)
