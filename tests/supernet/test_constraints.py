"""Windows of parameters: the paper's, shares of the base, and given ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.core.errors import InputError
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.supernet.alone import uniform_network
from dcase_system.supernet.constraints import constraints_of
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.search_space import DEPTH_PATTERNS, paper_space
from tests.supernet.networks import BASE


def scaled(width, classes=10):
    widths = [round(width * channels) for channels in (64, 128, 256, 512)]
    return CNN10Spec(
        blocks=tuple((one, one) for one in widths), embedding=widths[-1], classes=classes
    )


def test_the_whole_network_has_the_papers_windows_whatever_its_classes():
    for classes in (527, 10):
        windows = [(one.low, one.high) for one in constraints_of(scaled(1.0, classes))]
        assert windows == [(6e5, 1e6), (1.6e6, 2e6), (2.6e6, 3e6), (3.6e6, 4e6)]
    assert [one.name for one in constraints_of(scaled(1.0))] == ["0.8M", "1.8M", "2.8M", "3.8M"]


@given(width=st.floats(0.05, 0.99))
def test_other_widths_have_the_same_shares(width):
    base = scaled(width)
    share = costs_of(base).params / 5_219_279
    for one, millions in zip(constraints_of(base), (0.8, 1.8, 2.8, 3.8), strict=True):
        assert one.published == millions
        assert one.params == pytest.approx(share * 1e6 * millions)
        assert one.high - one.low == pytest.approx(share * 4e5)


@pytest.mark.parametrize("width", [0.0625, 0.125, 0.25, 0.5])
@pytest.mark.parametrize("pattern", DEPTH_PATTERNS)
def test_each_window_of_a_narrow_supernet_has_sub_networks_to_choose_from(width, pattern):
    space = paper_space(pattern, base=scaled(width))
    costs = [space.cost(ratios) for ratios in space.all()]
    for one in constraints_of(space.base):
        assert sum(one.low <= cost <= one.high for cost in costs) >= 7


def test_given_budgets_are_parameters_and_stand_for_the_papers_where_they_are_equal():
    given_two = constraints_of(CNN10Spec(), [1_800_000, 2_000_000], 50_000)
    assert [(one.low, one.high, one.published) for one in given_two] == [
        (1_750_000, 1_850_000, 1.8),
        (1_950_000, 2_050_000, None),
    ]
    (small,) = constraints_of(BASE, [2_000])
    assert (small.published, small.name) == (None, "2k")


@pytest.mark.parametrize(
    ("budgets", "tolerance"), [((), None), ((8e5, 8e5), None), ((-1.0,), None), ((8e5,), 0.0)]
)
def test_wrong_constraints_are_refused(budgets, tolerance):
    with pytest.raises(InputError, match="search: constraints are wrong") as caught:
        constraints_of(CNN10Spec(), budgets, tolerance)
    assert "\n" not in str(caught.value)


@given(params=st.floats(0, 6e6), pattern=st.sampled_from(DEPTH_PATTERNS))
def test_a_network_to_compare_with_is_at_least_as_large_unless_only_the_base_is(params, pattern):
    space = paper_space(pattern)
    network = uniform_network(space, params)
    assert network.spec != space.base
    assert network.params >= params or network.params == 3_491_612
