"""The supernet's search: sub-networks within a budget."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.core.errors import InputError
from dcase_system.search.driver import Search
from dcase_system.supernet.budgets import Budget
from dcase_system.supernet.constraints import PAPER_TOLERANCE
from dcase_system.supernet.search import (
    Candidate,
    SubNetworkProblem,
    front,
    search_sub_networks,
)
from dcase_system.supernet.search_space import paper_space

SPACE = paper_space("2,2,X", "layer")
SMALL = paper_space("2,2,X", "block")
ANY = Budget("params", 6e6)


def paper_budget(params):
    return Budget("params", params + PAPER_TOLERANCE, params - PAPER_TOLERANCE)


def score(spec) -> float:
    """Wider is better, and the last block matters most."""
    return sum(sum(block) * weight for weight, block in zip((0, 1, 2, 6), spec.blocks, strict=True))


class Counted:
    def __init__(self):
        self.specs = []

    def __call__(self, spec):
        self.specs.append(spec)
        return score(spec)


METHODS = pytest.mark.parametrize("method", ["random", "nsga2"])


def search(
    folder,
    num_trials,
    *,
    space=SPACE,
    budget=ANY,
    method="nsga2",
    scorer=score,
    helps=False,
    seed=0,
):
    problem, journal = SubNetworkProblem(space, budget), folder / "search.journal"
    described = Search(problem, method, "supernet", journal, num_trials, "supernet", 8, seed)
    return search_sub_networks(described, space, scorer, helps=helps)


def test_random_search_is_the_papers(tmp_path):
    counted = Counted()
    given = {"method": "random", "budget": paper_budget(1.8e6)}
    found = search(tmp_path, 25, scorer=counted, **given)
    assert len(found) == len(set(counted.specs)) == 25
    assert all(1.6e6 <= one.params <= 2.0e6 for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert found == search(tmp_path / "again", 25, **given)
    assert found != search(tmp_path / "other", 25, seed=1, **given)


@METHODS
def test_a_window_with_fewer_sub_networks_than_trials_gives_all_of_them(tmp_path, method):
    found = search(tmp_path, 25, method=method, budget=paper_budget(0.8e6), space=SMALL)
    assert sorted(one.params for one in found) == [794_666, 860_691, 941_291, 942_162]


def test_enough_trials_find_the_best(tmp_path):
    best, *_ = search(tmp_path, SMALL.size, method="random", space=SMALL)
    assert best.score == max(score(SMALL.spec(ratios)) for ratios in SMALL.all())


@pytest.mark.parametrize(
    ("budget", "nearest"),
    [
        (Budget("params", 500_000), "0.4-0.4|0.4-0.4|0.4 with 794,666"),
        (Budget("params", 9e6, 8e6), "1-1|1-1|1-1 with 5,219,279"),
        (Budget("bytes", 1e6, precision="float16"), "with 1,589,332"),
    ],
)
def test_a_budget_that_nothing_meets_names_the_nearest(tmp_path, budget, nearest):
    for method in ("random", "nsga2"):
        with pytest.raises(InputError, match="no sub-network within the budget") as caught:
            search(tmp_path / method, 3, method=method, budget=budget)
        assert "\n" not in str(caught.value)
        assert nearest in str(caught.value)


@pytest.mark.parametrize("measure", ["params", "macs", "bytes"])
def test_every_measure_bounds_what_it_says(tmp_path, measure):
    costs = sorted(SMALL.cost(ratios, measure) for ratios in SMALL.all())
    budget = Budget(measure, costs[40], costs[20])
    assert SubNetworkProblem(SMALL, budget).size() >= 21
    found = search(tmp_path, 25, method="random", space=SMALL, budget=budget)
    assert all(costs[20] <= one.cost <= costs[40] for one in found)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_the_front_is_what_nothing_beats(points):
    candidates = [Candidate((), 0, 0, cost, value) for cost, value in points]
    kept = front(candidates)

    def beats(a, b):
        return (a.cost <= b.cost and a.score > b.score) or (a.cost < b.cost and a.score >= b.score)

    expected = {(b.cost, b.score) for b in candidates if not any(beats(a, b) for a in candidates)}
    assert {(one.cost, one.score) for one in kept} == expected
    assert len(kept) == len(expected)


@METHODS
def test_a_search_scores_each_sub_network_once_and_within_the_budget(tmp_path, method):
    counted = Counted()
    budget = Budget("params", 3e6)
    found = search(tmp_path, 20, method=method, scorer=counted, budget=budget)
    assert len(found) == len(counted.specs) == len(set(counted.specs)) == 20
    assert all(one.params <= 3e6 for one in found)


@pytest.mark.parametrize(
    "change",
    [{"space": paper_space("X,X,X", "layer")}, {"space": SMALL}, {"budget": Budget("params", 5e6)}],
)
def test_a_storage_of_another_search_is_refused(tmp_path, change):
    search(tmp_path, 2)
    with pytest.raises(InputError, match="storage belongs to another search") as caught:
        search(tmp_path, 4, **change)
    assert "\n" not in str(caught.value)
