"""Which channels stay at a ratio, and which ratio or ranking meets limits exactly."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from dcase_system.complexity.counter import count
from dcase_system.complexity.rules import MAX_BYTES_2024, MAX_MACS_2024
from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.cp_mobile import sscp_mobile
from dcase_system.models.graph.read import channel_groups, read_graph
from dcase_system.models.widths import spec_of_network
from dcase_system.pruning.choose import (
    global_kept,
    kept_channels,
    smallest_uniform_ratio,
    uniform_kept,
)
from dcase_system.pruning.costs import Costs
from dcase_system.pruning.importance import l1_importance
from dcase_system.pruning.slim import slim
from tests.pruning.networks import dense_net, random_kept, randomise

LIMITS = {"max_macs": MAX_MACS_2024, "max_bytes": MAX_BYTES_2024}


@pytest.mark.parametrize(
    ("channels", "ratio", "stay"),
    [
        (64, 0.5, 32),
        (96, 0.34, 64),
        (206, 0.51, 101),
        (312, 0.67, 103),
        (4, 0.2, 4),
        (1, 0.99, 1),
        (7, 0.0, 7),
        (100, 0.29, 72),  # 28.999999999999996 go, as in NNI
    ],
)
def test_the_number_that_goes_is_rounded_down(channels, ratio, stay):
    scores = np.random.default_rng(0).permutation(channels)
    kept = kept_channels(scores, ratio, "x")
    np.testing.assert_array_equal(kept, np.flatnonzero(scores >= channels - stay))


def test_of_equal_scores_the_first_goes():
    assert kept_channels(np.array([1.0, 2, 1, 1]), 0.5, "x").tolist() == [1, 3]


@pytest.mark.parametrize("ratio", [1.0, 1.5, -0.1, float("nan")])
def test_a_ratio_that_empties_a_group_is_refused_by_name(ratio):
    message = "channel group block1_expand_conv: pruning ratio leaves no channel; expected"
    with pytest.raises(InputError, match=message):
        uniform_kept({"block1_expand_conv": np.ones(3)}, ratio)


def test_importance_that_is_not_a_number_is_refused():
    with pytest.raises(InputError, match="channel group stem: importance is not a number"):
        uniform_kept({"stem": np.array([1.0, np.nan])}, 0.5)


@pytest.mark.parametrize(
    "build",
    [dense_net, lambda: registry.build(sscp_mobile(32)), lambda: registry.build_fixed(_cnn10())],
    ids=["dense_net", "sscp_mobile", "cnn10"],
)
def test_costs_are_those_of_the_counter(build):
    model = build()
    graph, generator = read_graph(model), np.random.default_rng(0)
    costs = Costs(graph)
    for _ in range(4):
        kept = random_kept(graph.groups, generator)
        counted = count(slim(model, kept))
        found = costs(np.array([len(kept[group.name]) for group in graph.groups]))
        assert found == (counted.params, counted.macs)


def _cnn10():
    return replace(registry.named_spec("cnn10"), input_shape=(64, 101))


def test_frozen_layers_do_not_count():
    model = dense_net()
    model.get_layer("growth1").trainable = False
    costs = Costs(read_graph(model))
    counted = count(model)
    assert costs(costs.sizes) == (counted.params, counted.macs)


@pytest.mark.parametrize("base", [64, 80, 96])
def test_the_smallest_ratio_gives_the_largest_network_within_the_limits(base):
    model = registry.build(sscp_mobile(base))
    ratio = smallest_uniform_ratio(model, **LIMITS)
    sizes = np.array([group.size for group in channel_groups(model)])
    costs = Costs(read_graph(model))

    def met(at: float) -> bool:
        params, macs = costs(np.array([size - int(size * at) for size in sizes.tolist()]))
        return 2 * params <= MAX_BYTES_2024 and macs <= MAX_MACS_2024

    assert met(ratio)
    assert not met(ratio - 1e-9)  # the next larger network is over a limit
    assert {64: 0.5, 80: 0.6, 96: 0.67}[base] == pytest.approx(ratio, abs=0.01)


def test_the_chosen_ratio_at_base_64_is_a_network_at_least_as_large_as_the_submitted_one():
    model = registry.build(sscp_mobile(64))
    small = slim(model, uniform_kept(l1_importance(model), smallest_uniform_ratio(model, **LIMITS)))
    counted = count(small)
    assert 29_982_132 <= counted.macs <= MAX_MACS_2024
    assert counted.bytes("float16") <= MAX_BYTES_2024


@pytest.mark.parametrize("limit", ["max_macs", "max_bytes"])
def test_each_limit_is_used_fully(limit):
    model = randomise(registry.build(replace(sscp_mobile(32), input_shape=(64, 41))))
    counted = count(model)
    value = {"max_macs": counted.macs, "max_bytes": 2 * counted.params}[limit] // 2
    scores, groups = l1_importance(model), channel_groups(model)
    kept = global_kept(model, scores, **{limit: value})
    small = count(slim(model, kept))
    used = {"max_macs": small.macs, "max_bytes": small.bytes("float16")}[limit]
    assert 0.995 * value <= used <= value
    costs, sizes = Costs(read_graph(model)), np.array([len(kept[group.name]) for group in groups])
    for index, group in enumerate(groups):  # not one more channel fits
        if sizes[index] < group.size:
            params, macs = costs(sizes + np.eye(len(groups), dtype=int)[index])
            assert (macs if limit == "max_macs" else 2 * params) > value
    shares = sizes / [group.size for group in groups]
    assert np.ptp(shares) > 0.05  # not uniform
    assert (shares >= 0.1).all()


def test_globally_what_matters_least_goes_first():
    model = dense_net()
    scores = {name: np.ones(len(values)) for name, values in l1_importance(model).items()}
    scores["bottleneck1"][3:] = 1e-3
    kept = global_kept(model, scores, max_macs=count(model).macs - 1_000)
    assert kept["bottleneck1"].tolist() == sorted({*kept["bottleneck1"].tolist(), 0, 1, 2})
    assert all(
        len(kept[name]) == len(values) for name, values in scores.items() if name != "bottleneck1"
    )


def test_global_choice_gives_a_spec_of_ours():
    spec = replace(sscp_mobile(32), input_shape=(64, 41))
    model = randomise(registry.build(spec))
    small = slim(model, global_kept(model, l1_importance(model), max_bytes=60_000))
    found = spec_of_network(spec, small)
    assert 59_500 <= count(registry.build(found)).bytes("float16") <= 60_000


def test_scores_of_another_network_are_refused_by_group():
    model = dense_net()
    scores = l1_importance(model)
    for wrong in ({**scores, "growth1": np.ones(3)}, {"stem": scores["stem"]}):
        with pytest.raises(
            InputError, match=r"channel group \w+1: importance does not fit; expected"
        ):
            global_kept(model, wrong, max_macs=10_000)


@pytest.mark.parametrize("choose", ["uniform", "global"])
def test_limits_that_no_pruning_meets_are_refused(choose):
    model = dense_net()
    message = "network dense_net: no pruning meets the limits; expected at most 50 MACs and None"
    with pytest.raises(InputError, match=message):
        if choose == "uniform":
            smallest_uniform_ratio(model, max_macs=50)
        else:
            global_kept(model, l1_importance(model), max_macs=50)


def test_limits_that_the_whole_network_meets_need_no_pruning():
    model = dense_net()
    assert smallest_uniform_ratio(model, max_macs=count(model).macs) == 0
    kept = global_kept(model, l1_importance(model), max_macs=count(model).macs)
    assert all(len(kept[group.name]) == group.size for group in channel_groups(model))


def test_costs_need_a_fixed_input_shape():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(2, 1, name="open")(inputs), name="open_net")
    with pytest.raises(InputError, match="network open_net: takes inputs of any size"):
        smallest_uniform_ratio(model, max_macs=10)
