"""The systems of the report, in numbers and in words."""

import math

import keras
import pytest

from dcase_system.challenge.student.costs import final_costs
from dcase_system.challenge.student.plan import named_front_end
from dcase_system.challenge.systems import (
    BASE_CHANNELS,
    MASK_FRAMES,
    PACKED,
    SYSTEMS,
    PruningOptions,
    planned,
)
from dcase_system.complexity.rules import MAX_BYTES_2024, MAX_MACS_2024
from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.graph.read import read_graph
from dcase_system.papers.sscp_mobile import TABLE_1
from dcase_system.pruning.costs import Costs, Limits
from dcase_system.pruning.rounds import MagnitudeRound, Target

AS_IT_IS = PruningOptions()


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("total", [10, 40, 375])
def test_the_epochs_of_all_trainings_add_up(name, total):
    system = SYSTEMS[name]
    found = planned(name, total, AS_IT_IS, demo=False)
    trained = [found.epochs, *(n for r in found.rounds for n in (r.epochs, r.tuning_epochs))]
    assert sum(trained) == total
    assert min(trained) >= 1
    assert {system.architecture, system.demo_architecture} <= set(registry.ARCHITECTURES)


@pytest.mark.parametrize("name", ["S1", "S2", "S3"])
def test_systems_are_pruned_on_the_schedule_and_from_the_width_of_table_1(name):
    """Table 1: S1 Agp from base channel 64, S2 Linear from 96, S3 Agp progressive from 96."""
    printed = TABLE_1.row(system=name)
    found = planned(name, 100, AS_IT_IS, demo=False)
    assert {one.schedule for one in found.rounds} == {printed["schedule"].lower()}
    base = found.architecture.rpartition("_")[2]
    assert f"from base channel {base}" in printed["pruned"] or f"from {base}" in printed["pruned"]
    assert len(found.rounds) == (2 if "progressive" in printed["pruned"] else 1)


def test_students_mask_time_as_well_as_frequency():
    """Section 2.2.2: "random masking in the frequency band and time dimensions"."""
    assert MASK_FRAMES > 0
    masked = {name for name, system in SYSTEMS.items() if system.mask_frames == MASK_FRAMES}
    assert masked == set(SYSTEMS) - {"baseline"}  # whose published training masks no time


@pytest.mark.parametrize("base", BASE_CHANNELS)
def test_every_width_of_the_report_is_pruned_just_within_the_limits(base):
    """Section 2.4: base channels 48, 64, 80, 96 "to meet the requirements of the challenge"."""
    found = planned("S1", 100, PruningOptions(base_channels=base), demo=False)
    (pruning,) = found.rounds
    assert found.architecture == f"sscp_mobile_{base}"
    assert (pruning.ratio, pruning.max_macs, pruning.max_bytes) == (
        *(None, MAX_MACS_2024),
        MAX_BYTES_2024,
    )
    network = registry.build_fixed(registry.named_spec(found.architecture))
    ratio, costs = Target(pruning, network).ratio, Costs(read_graph(network))

    def met(share: float) -> bool:
        kept = costs.sizes - (costs.sizes * share).astype(int)
        return Limits(MAX_MACS_2024, MAX_BYTES_2024).met(costs(kept))

    assert met(ratio)
    assert not met(ratio - 0.02)


def test_targets_replace_the_ratio_of_the_last_round():
    options = PruningOptions(max_macs=20_000_000, ratios="global", importance="taylor")
    first, last = planned("S3", 100, options, demo=False).rounds
    assert (first.ratio, first.max_macs, first.ratios) == (0.34, None, "uniform")
    assert (last.ratio, last.max_macs, last.max_bytes, last.ratios) == (
        *(None, 20_000_000),
        *(None, "global"),
    )
    assert first.importance == last.importance == "taylor"


def test_a_given_schedule_replaces_the_systems():
    assert [one.schedule for one in planned("S3", 10, AS_IT_IS, demo=False).rounds] == ["agp"] * 2
    linear = PruningOptions(schedule="linear")
    assert [one.schedule for one in planned("S3", 10, linear, demo=False).rounds] == ["linear"] * 2


def test_a_package_takes_the_systems_within_its_limit_of_bytes():
    """Dense systems: float16 takes two bytes a parameter, of at most 128,000."""
    dense = {name: system for name, system in SYSTEMS.items() if not system.rounds}
    sizes = {name: final_costs_of(system).bytes("float16") for name, system in dense.items()}
    assert {name for name, size in sizes.items() if size > MAX_BYTES_2024} == {"tf_sepnet"}
    assert set(SYSTEMS) - set(PACKED) == {"tf_sepnet", "magnitude"}
    assert (sizes["tf_sepnet"], sizes["cnn_gru"]) == (2 * 126_858, 2 * 58_171)


def final_costs_of(system):
    front_end = named_front_end("published", system.architecture)
    return final_costs(system.architecture, (), 10, 32_000, front_end)


def test_zeros_leave_as_many_parameters_as_s1_has():
    (zeros,) = planned("magnitude", 100, AS_IT_IS, demo=False).rounds
    assert isinstance(zeros, MagnitudeRound)
    network = registry.build(registry.named_spec("sscp_mobile_64"))
    pruned = sum(
        round(zeros.sparsity * math.prod(layer.kernel.shape))
        for layer in network.layers
        if type(layer) is keras.layers.Conv2D
    )
    total = sum(math.prod(weight.shape) for weight in network.trainable_weights)
    assert abs(total - pruned - TABLE_1.row(system="S1")["parameters"]) < 100


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("dense", {"max_macs": 1_000_000}, "targets and ratios are for systems that remove"),
        ("magnitude", {"max_bytes": 10}, "targets and ratios are for systems that remove"),
        ("magnitude", {"base_channels": 48}, "targets and ratios are for systems that remove"),
        ("S3", {"base_channels": 96}, "a width to prune from is for systems of one round"),
        ("baseline", {"schedule": "agp"}, "a schedule is for systems that are pruned"),
    ],
)
def test_options_that_do_not_fit_a_system_are_refused(name, options, message):
    with pytest.raises(InputError, match=message):
        planned(name, 100, PruningOptions(**options), demo=False)
