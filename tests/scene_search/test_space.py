"""The search space: published sizes and shares, exact counts, draws."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.scene_search import scene_space
from dcase_system.scene_search.costs import costs_of
from dcase_system.scene_search.scene_space import (
    POOLS,
    Architecture,
    SceneSpace,
    SizeWindow,
    describe,
)
from tests.commands import run

MODEL_A = Architecture(((4, 1, "avg"), (2, 2, "max")), 76, 1.75)
MODEL_B = Architecture(((0, 3, "avg"), (0, 1, "avg"), (2, 1, "avg"), (3, 1, "avg")), 64, 1.0)
CODE = SceneSpace("code")
# All of it can be looked at: 40 + 1600 blocks, 2 stems, 2 growths.
TINY = SceneSpace("paper", SizeWindow(2, 6), (1, 2), (4, 8), (1.0, 1.5))

blocks = st.tuples(st.integers(0, 4), st.integers(1, 4), st.sampled_from(POOLS))
architectures = st.builds(
    Architecture,
    st.lists(blocks, min_size=1, max_size=3).map(tuple),
    st.integers(1, 9),
    st.sampled_from((1.0, 1.25, 1.5, 1.75, 2.0)),
)


def test_the_published_space():
    values = describe(CODE)
    assert values["architectures"] == 420_096_000
    assert values["acceptance"] == pytest.approx(0.128, abs=0.001)
    published = {"1": 0.193, "1.25": 0.151, "1.5": 0.121, "1.75": 0.099, "2": 0.077}
    assert values["acceptance_by_growth"] == pytest.approx(published, abs=0.003)  # sampled
    assert values["accepted_blocks"] == pytest.approx({"2": 0.46, "3": 0.31, "4": 0.23}, abs=0.006)
    assert describe(SceneSpace())["acceptance"] == pytest.approx(0.128, abs=0.001)


def test_draws_are_within_as_often_as_counted():
    generator = np.random.default_rng(0)
    inside = [CODE.counted_params(CODE.draw(generator)) in CODE.window for _ in range(4_000)]
    assert np.mean(inside) == pytest.approx(CODE.counts.acceptance, abs=0.02)


def test_every_choice_is_drawn_equally_often():
    """Section 3.2: "for each configuration item, every possible choice has equal probability of
    being chosen"."""
    generator, space = np.random.default_rng(0), SceneSpace()
    drawn = [space.draw(generator) for _ in range(8_000)]
    blocks = [block for one in drawn for block in one.blocks]
    for values, choices in (
        ([len(one.blocks) for one in drawn], space.block_counts),
        ([one.stem for one in drawn], space.stems),
        ([one.growth for one in drawn], space.growths),
        ([first for first, _, _ in blocks], range(5)),
        ([second for _, second, _ in blocks], range(1, 5)),
        ([pool for _, _, pool in blocks], POOLS),
    ):
        shares = [values.count(choice) / len(values) for choice in choices]
        assert sum(shares) == pytest.approx(1)
        expected = 1 / len(shares)
        # Five deviations of a share that is drawn so often.
        tolerance = 5 * (expected * (1 - expected) / len(values)) ** 0.5
        assert shares == pytest.approx([expected] * len(shares), abs=tolerance)


def test_the_width_grows_block_by_block():
    """Section 3.2: "as 32, a growth ratio of 1.5 means the number of channels after the first block
    is 32 × 1.5 = 48, after the second block is 48 × 1.5 = 72"."""
    spec = SceneSpace().spec(Architecture(((0, 1, "avg"), (2, 3, "max")), 32, 1.5))
    assert [block.modules[-1].channels for block in spec.blocks] == [48, 72]
    assert spec.blocks[1].modules[0].channels == 48  # the first module of a block keeps the width


def test_models_a_and_b_are_points_of_it():
    assert CODE.spec(MODEL_A) == registry.named_spec("scene_a")
    assert CODE.spec(MODEL_B) == registry.named_spec("scene_b")
    assert MODEL_A.name == "41a-22m_76_1.75"
    # In the search their stem is counted with three input channels.
    assert CODE.counted_params(MODEL_A) * 4 / 1_024 == pytest.approx(437.46, abs=0.005)
    assert CODE.counted_params(MODEL_B) * 4 / 1_024 == pytest.approx(301.51, abs=0.005)
    assert CODE.admits(MODEL_A)
    assert CODE.admits(MODEL_B)


@settings(max_examples=10, deadline=None)
@given(architectures, st.sampled_from(("paper", "code")))
def test_costs_by_arithmetic_are_those_of_the_built_network(architecture, variant):
    spec = SceneSpace(variant, input_shape=(72, 68)).spec(architecture)
    counted = count(registry.build(spec))
    assert (costs_of(spec).params, costs_of(spec).macs) == (counted.params, counted.macs)


def _all_of(space):
    for count_ in space.block_counts:
        choices = [(a, b, p) for a in range(5) for b in range(1, 5) for p in POOLS]
        for index in range(len(choices) ** count_):
            chosen, rest = [], index
            for _ in range(count_):
                rest, digit = divmod(rest, len(choices))
                chosen.append(choices[digit])
            for stem in space.stems:
                for growth in space.growths:
                    yield Architecture(tuple(chosen), stem, growth)


def test_counts_are_those_of_looking_at_every_one():
    everything = list(_all_of(TINY))
    assert len(everything) == TINY.size == len({one.name for one in everything})
    inside = [TINY.counted_params(one) in TINY.window for one in everything]
    assert TINY.counts.architectures == sum(inside) > 0


def test_candidates_are_within_each_once_and_always_the_same():
    def first(seed, count_):
        generator = CODE.candidates(seed)
        return [next(generator) for _ in range(count_)]

    found = first(0, 60)
    assert len({one.name for one in found}) == 60
    assert all(CODE.admits(one) for one in found)
    assert found == first(0, 60)
    assert found[:10] != first(1, 10)


def test_a_space_is_searched_to_its_end(monkeypatch):
    monkeypatch.setattr(scene_space, "_MOST_DRAWS", 5_000)
    space = SceneSpace("paper", SizeWindow(0, 1), (1,), (4,), (1.0,))
    assert len(list(space.candidates(0))) == space.counts.architectures == 6


def test_a_shrinking_network_whose_map_vanishes_is_not_admitted():
    architecture = Architecture(((2, 2, "avg"),) * 4, 32, 1.5)
    window = SizeWindow(0, 5_000)
    assert SceneSpace("paper", window).admits(architecture)
    assert not SceneSpace("code", window).admits(architecture)


@pytest.mark.parametrize(("low", "high"), [(900_000, 1_000_000), (0.0, 0.5)])
def test_a_window_that_nothing_falls_into_names_the_nearest(low, high):
    space = SceneSpace(window=SizeWindow(low, high))
    with pytest.raises(InputError, match=r"nothing falls into the size window; .* nearest size"):
        next(space.candidates(0))


@pytest.mark.parametrize(
    "make",
    [
        lambda: SizeWindow(500, 250),
        lambda: SceneSpace("theirs"),
        lambda: SceneSpace(stems=()),
        lambda: SceneSpace(growths=(0.5,)),
        lambda: SceneSpace(block_counts=(2, 2)),
    ],
)
def test_a_wrong_space_is_refused(make):
    with pytest.raises(InputError, match="is wrong") as caught:
        make()
    assert "\n" not in str(caught.value)


def test_command_prints_json():
    done = run("dcase_system.scene_search.space", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["architectures"] == 420_096_000
