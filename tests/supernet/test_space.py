"""The search space: the published counts, and the sub-networks' specs."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec, sliced_width
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.search_space import SearchSpace, describe, paper_space, ratios_name
from tests.commands import run
from tests.supernet.networks import BASE

# Ratio: widths, and parameters at depths (1, 1, 1), (2, 2, 1), (2, 2, 2) of blocks 2 to 4.
UNIFORM = {
    0.2: ((25, 51, 102), (433_960, 463_146, 556_986)),
    0.4: ((51, 102, 204), (677_315, 794_666, 1_169_618)),
    0.6: ((76, 153, 307), (1_038_110, 1_301_233, 2_150_088)),
    0.8: ((102, 204, 409), (1_516_473, 1_985_265, 3_491_612)),
    1.0: ((128, 256, 512), (2_120_911, 2_858_959, 5_219_279)),
}
DEPTHS = ((1, 1, 1), (2, 2, 1), (2, 2, 2))

# Pattern, width per, ratios from: size, fewest parameters, windows at 0.8, 1.8, 2.8, 3.8 M.
SPACES = [
    ("X,X,X", "block", 0.4, 512, 677_315, (39, 90, 35, 27)),
    ("X,X,X", "layer", 0.4, 8_000, 677_315, (116, 1_352, 1_106, 499)),
    ("2,X,X", "block", 0.4, 256, 700_826, (16, 47, 17, 13)),
    ("2,X,X", "layer", 0.4, 6_400, 700_826, (82, 1_070, 890, 405)),
    ("2,2,X", "block", 0.4, 128, 794_666, (4, 25, 10, 8)),
    ("2,2,X", "layer", 0.4, 5_120, 794_666, (36, 819, 740, 343)),
    ("none", "block", 0.2, 125, 556_986, (13, 16, 9, 10)),
    ("none", "layer", 0.2, 15_625, 556_986, (777, 2_881, 1_626, 619)),
    ("none", "block", 0.4, 64, 1_169_618, (0, 8, 7, 8)),
    ("none", "layer", 0.4, 4_096, 1_169_618, (0, 524, 726, 343)),
]


@pytest.mark.parametrize("ratio", UNIFORM)
def test_uniform_sub_networks_have_the_published_parameters(ratio):
    widths, params = UNIFORM[ratio]
    for depths, expected in zip(DEPTHS, params, strict=True):
        dynamic = tuple((width,) * depth for width, depth in zip(widths, depths, strict=True))
        assert costs_of(CNN10Spec(blocks=((64, 64), *dynamic))).params == expected


@pytest.mark.parametrize("ratio", UNIFORM)
@pytest.mark.parametrize(("depth", "column"), [(1, 0), (2, 2)])
def test_uniform_sub_networks_have_names(ratio, depth, column):
    spec = registry.named_spec(f"ofa_{ratio}_{depth}")
    assert costs_of(spec).params == UNIFORM[ratio][1][column]
    assert spec.blocks[-1] == (UNIFORM[ratio][0][-1],) * depth


@pytest.mark.parametrize(("pattern", "per", "least", "size", "fewest", "windows"), SPACES)
def test_spaces_have_the_published_sizes(pattern, per, least, size, fewest, windows):
    ratios = tuple(ratio for ratio in (0.2, 0.4, 0.6, 0.8, 1.0) if ratio >= least)
    space = SearchSpace(CNN10Spec(), pattern, per, ratios)
    assert describe(space) == {
        "size": size,
        "min_params": fewest,
        "max_params": 5_219_279,
        "windows": dict(zip(("0.8", "1.8", "2.8", "3.8"), windows, strict=True)),
    }


def test_narrow_sub_networks_at_0_8_million_are_the_known_four():
    space = paper_space("2,2,X", "block")
    params = sorted(space.cost(ratios) for ratios in space.all())
    assert params[:4] == [794_666, 860_691, 941_291, 942_162]


@pytest.mark.parametrize("blocks", [((64, 64), (51,), (76, 128), (204,)), BASE.blocks])
def test_arithmetic_agrees_with_the_counter_on_the_built_network(blocks):
    spec = replace(CNN10Spec(), blocks=blocks, input_shape=(64, 101), classes=7)
    counted = count(registry.build_fixed(spec))
    assert (costs_of(spec).params, costs_of(spec).macs) == (counted.params, counted.macs)
    assert costs_of(spec).of("bytes", "float16") == counted.bytes("float16")


@pytest.mark.parametrize("pattern", ["2,2,X", "2,X,X", "X,X,X", "none", "1,X", "X"])
@pytest.mark.parametrize("per", ["block", "layer"])
def test_a_space_holds_each_sub_network_once_and_nothing_else(pattern, per):
    space = paper_space(pattern, per, BASE)
    everything = list(space.all())
    assert len(everything) == len(set(everything)) == space.size
    assert len({ratios_name(ratios) for ratios in everything}) == space.size
    assert space.largest in space
    assert space.spec(space.largest).blocks[:1] == BASE.blocks[:1]
    assert space.smallest in space
    costs = [space.cost(ratios) for ratios in everything]
    assert space.cost(space.smallest) == min(costs)
    assert space.cost(space.largest) == max(costs)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from(["2,2,X", "X,X,X"]), st.sampled_from(["block", "layer"])
)
def test_draws_are_of_the_space(seed, pattern, per):
    space = paper_space(pattern, per)
    assert space.draw(np.random.default_rng(seed)) in space


def test_draws_take_each_depth_and_each_ratio_equally_often():
    space, generator = paper_space("2,2,X", "layer"), np.random.default_rng(0)
    drawn = [space.draw(generator) for _ in range(4_000)]
    assert np.mean([len(ratios[2]) == 2 for ratios in drawn]) == pytest.approx(0.5, abs=0.03)
    for ratio in space.ratios:
        share = np.mean([ratios[0][1] == ratio for ratios in drawn])
        assert share == pytest.approx(0.25, abs=0.03)


def test_with_widths_per_block_every_sub_network_is_drawn_equally_often():
    """So a step's samples are those of the paper's equation 2: uniform over the M of them."""
    space, generator = paper_space("2,2,X"), np.random.default_rng(0)
    drawn = Counter(space.draw(generator) for _ in range(128 * 100))
    assert len(drawn) == space.size == 128
    assert chisquare(list(drawn.values())).pvalue > 1e-3


def test_widths_are_rounded_down_but_not_by_binary_fractions():
    assert [sliced_width(512, ratio) for ratio in (0.2, 0.4, 0.6, 0.8, 1.0)] == [
        102, 204, 307, 409, 512,
    ]  # fmt: skip
    assert sliced_width(100, 0.29) == 29


def test_a_foreign_sub_network_is_refused():
    with pytest.raises(InputError, match="sub-network is not in the search space"):
        paper_space("2,2,X").spec(((0.4,), (0.4, 0.4), (1.0,)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth_pattern": "2,3,X"}, "depth_pattern is wrong"),
        ({"depth_pattern": "2,2,2,2,X"}, "depth_pattern is wrong"),
        ({"depth_pattern": ""}, "depth_pattern is wrong"),
        ({"width_per": "net"}, "width_per is wrong"),
        ({"ratios": (0.4, 0.6)}, "ratios is wrong"),
        ({"ratios": (0.6, 0.4, 1.0)}, "ratios is wrong"),
        ({"ratios": (0.0, 1.0)}, "ratios is wrong"),
        ({"ratios": (0.001, 1.0)}, "a channel left"),
    ],
)
def test_wrong_spaces_are_refused(settings, message):
    with pytest.raises(InputError, match=message) as caught:
        SearchSpace(**settings)
    assert "\n" not in str(caught.value)


def test_keys_tell_spaces_apart():
    spaces = [
        paper_space("2,2,X"),
        paper_space("X,X,X"),
        paper_space("2,2,X", "layer"),
        paper_space("2,2,X", base=BASE),
    ]
    assert len({space.key for space in spaces}) == 4
    assert paper_space("2,2,X").key == spaces[0].key


def test_command():
    done = run("dcase_system.supernet.space", "--json", "--width_per=layer")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["windows"] == {"0.8": 36, "1.8": 819, "2.8": 740, "3.8": 343}
    done = run("dcase_system.supernet.space")
    assert done.returncode == 0, done.stderr
    assert "1.8 M ± 0.2 M        25" in done.stdout
