"""SSCP-Mobile's supernet: widths by channel group, blocks left out, sub-networks as specs."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import tensorflow as tf

from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.cp_mobile import cp_mobile_2023, sscp_mobile
from dcase_system.models.cp_resnet import cp_resnet
from dcase_system.models.graph.read import channel_groups
from dcase_system.pruning.masks import masked_model, set_masks
from dcase_system.search.driver import Search
from dcase_system.supernet.architectures import architecture_of
from dcase_system.supernet.budgets import Budget, Budgets
from dcase_system.supernet.calibration import SubNetworks
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.elastic import ElasticNetwork
from dcase_system.supernet.extract import extract
from dcase_system.supernet.mobile_search import MobileProblem
from dcase_system.supernet.mobile_space import MobileSpace
from dcase_system.supernet.sampling import WidthSampler
from dcase_system.training import seeds
from tests.pruning.networks import randomise

BASE = replace(sscp_mobile(16), classes=3, input_shape=(32, 16))
SPACE = MobileSpace(BASE, ratios=(0.3, 0.6, 1.0))
DEPTHS = [(0, 1, 2), (0, 1)]  # of stages 1 and 2


@pytest.fixture(scope="module")
def sub_networks():
    seeds.set_seed(0)
    network = registry.build(BASE)
    randomise(network)
    return SubNetworks(ElasticNetwork(BASE, network))


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).normal(size=(3, *BASE.input_shape, 1)).astype(np.float32)


def relative(one, other) -> float:
    return float(np.abs(one - other).max() / np.abs(other).max())


def test_a_supernet_has_the_pruners_groups_in_their_order(sub_networks):
    sizes = {group.name: group.size for group in channel_groups(registry.build(BASE))}
    assert list(SPACE.groups.items()) == list(sizes.items())
    assert list(sub_networks.supernet.groups.items()) == list(sizes.items())
    assert list(SPACE.choices.depths) == DEPTHS


def test_what_is_cut_out_computes_what_the_supernet_does(sub_networks, x):
    generator = np.random.default_rng(0)
    draws = (SPACE.draw(generator) for _ in range(100))
    drawn = [SPACE.smallest, next(spec for spec in draws if len(spec.blocks) == 5)]
    for spec in drawn:
        network = extract(sub_networks.supernet, spec)
        assert relative(network(x).numpy(), sub_networks.logits(spec, [x])) < 1e-6
        counted = count(registry.at_fixed_length(network, spec))
        assert costs_of(spec) == (type(costs_of(spec))(counted.params, counted.macs))
    assert sub_networks.traces == 1


def test_a_sub_network_computes_what_the_pruners_masks_do(sub_networks, x):
    """Of the same channels; masks leave no block out."""
    widths = MobileSpace(BASE, (0.3, 0.6, 1.0), None, elastic_depth=False).choices.draw(
        np.random.default_rng(1)
    )
    masked = masked_model(sub_networks.supernet.network)
    set_masks(masked, dict(zip(SPACE.groups, map(np.arange, widths), strict=True)))
    assert relative(masked(x).numpy(), sub_networks.logits(SPACE.spec(widths), [x])) < 1e-6


def test_a_block_left_out_passes_its_input_on(sub_networks, x):
    """As a block whose last convolution gives zeros."""
    network = registry.build(BASE)
    network.set_weights(sub_networks.supernet.network.get_weights())
    for name in ("gamma", "beta"):
        weight = getattr(network.get_layer("block2_project_bn"), name)
        weight.assign(np.zeros(weight.shape))
    blocks = BASE.blocks[:1] + BASE.blocks[2:]
    spec = replace(BASE, blocks=blocks)
    assert relative(sub_networks.logits(spec, [x]), network(x).numpy()) < 1e-6


def test_draws_in_the_graph_are_those_of_the_space():
    sampler = WidthSampler(SPACE.choices, seed=0)
    draw = tf.function(sampler.draw)
    drawn = np.stack([draw().numpy() for _ in range(300)])
    sizes = list(SPACE.groups.values())
    names = list(SPACE.groups)
    second = drawn[:, names.index("block2_expand_conv")] > 0
    first = drawn[:, names.index("block1_expand_conv")] > 0
    assert np.mean(second) == pytest.approx(1 / 3, abs=0.08)
    assert np.mean(first) == pytest.approx(2 / 3, abs=0.08)
    assert not np.any(second & ~first)  # the last blocks go first
    assert np.all(drawn[:, names.index("block3_expand_conv")] > 0)
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])  # both paths of the stem
    for widths in drawn[:20]:
        SPACE.spec(widths)
    np.testing.assert_array_equal(sampler.largest, sizes)


def test_sizes_spread_over_the_whole_range():
    """A shared level gives small and large sub-networks; independent ratios give the middle."""
    generator = np.random.default_rng(0)

    def outer(space):
        macs = np.array([costs_of(space.draw(generator)).macs for _ in range(300)])
        most = costs_of(BASE).macs
        return np.mean((macs < 0.2 * most) | (macs > 0.6 * most))

    assert outer(SPACE) > 1.3 * outer(replace(SPACE, spread=None))


def test_costs_are_those_of_the_counter_for_cp_mobile_too():
    spec = replace(cp_mobile_2023(), input_shape=(40, 18))
    counted = count(registry.build_fixed(spec))
    assert (costs_of(spec).params, costs_of(spec).macs) == (counted.params, counted.macs)


@pytest.mark.parametrize(
    "change",
    [
        {"blocks": (*BASE.blocks[:-1], replace(BASE.blocks[-1], expanded=999))},
        {"blocks": BASE.blocks[1:] + BASE.blocks[:1]},
        {"blocks": (replace(BASE.blocks[0], channels=8), *BASE.blocks[1:])},
        {"blocks": BASE.blocks[:5]},
        {"stem_inner": (0, 0)},
        {"stem_inner": (4,)},
        {"separable": False},
        {"classes": 4},
        {"input_shape": (64, 16)},
    ],
)
def test_what_is_no_sub_network_is_refused(sub_networks, change):
    with pytest.raises(InputError, match="not a sub-network of this supernet"):
        sub_networks.supernet.widths_of(replace(BASE, **change))


def test_wrong_spaces_and_architectures_are_refused():
    for wrong in ({"ratios": (0.5,)}, {"ratios": ()}, {"spread": -1}):
        with pytest.raises(InputError, match="search space"):
            MobileSpace(BASE, **wrong)
    with pytest.raises(InputError, match="architecture has no supernet"):
        architecture_of(cp_resnet(32))


def test_a_search_meets_several_budgets_at_once(tmp_path):
    most = costs_of(BASE)
    budgets = Budgets(
        (
            Budget("macs", 0.5 * most.macs, 0.3 * most.macs),
            Budget("bytes", 0.6 * most.params, precision="int8"),
        )
    )
    problem = MobileProblem(SPACE, budgets)
    for method in ("random", "nsga2"):
        search = Search(problem, method, "supernet", tmp_path / method, 5, "search", 4)
        found = search.run(lambda spec: {"blocks": len(spec.blocks)})
        assert len({one.candidate for one in found}) == 5
        for one in found:
            costs = costs_of(one.candidate)
            assert one.costs == (costs.macs, costs.params)
            assert 0.3 * most.macs <= costs.macs <= 0.5 * most.macs
            assert costs.params <= 0.6 * most.params
    assert list(islice(problem.drawn(0), 5)) == list(islice(problem.drawn(0), 5))
    with pytest.raises(InputError, match=r"no sub-network within the budget.*as the nearest"):
        MobileProblem(SPACE, Budgets((Budget("macs", 10),))).size()
