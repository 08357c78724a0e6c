"""Searches: within the budget, each candidate once, resumed, shared, refused where foreign."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.core.errors import InputError
from dcase_system.supernet.constraints import PAPER_TOLERANCE
from dcase_system.supernet.search import (
    Budget,
    Candidate,
    exhaustive_search,
    front,
    random_search,
)
from dcase_system.supernet.shared_search import SharedSearch
from dcase_system.supernet.space import paper_space
from tests.commands import FORKS

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


def test_random_search_is_the_papers():
    counted = Counted()
    found = random_search(SPACE, paper_budget(1.8e6), counted)
    assert len(found) == len(set(counted.specs)) == 25
    assert all(1.6e6 <= one.params <= 2.0e6 for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert found == random_search(SPACE, paper_budget(1.8e6), score)
    assert found != random_search(SPACE, paper_budget(1.8e6), score, seed=1)


def test_a_window_with_fewer_sub_networks_than_draws_gives_all_of_them():
    found = random_search(SMALL, paper_budget(0.8e6), score)
    assert sorted(one.params for one in found) == [794_666, 860_691, 941_291, 942_162]
    assert found == exhaustive_search(SMALL, paper_budget(0.8e6), score)


def test_exhaustive_search_finds_the_best():
    best = exhaustive_search(SMALL, ANY, score)[0]
    assert best.score == max(score(SMALL.spec(ratios)) for ratios in SMALL.all())
    with pytest.raises(InputError, match="too many sub-networks to score them all"):
        exhaustive_search(SPACE, ANY, score)


@pytest.mark.parametrize(
    ("budget", "nearest"),
    [
        (Budget("params", 500_000), "0.4-0.4|0.4-0.4|0.4 with 794,666"),
        (Budget("params", 9e6, 8e6), "1-1|1-1|1-1 with 5,219,279"),
        (Budget("bytes", 1e6, precision="float16"), "with 1,589,332"),
    ],
)
def test_a_budget_that_nothing_meets_names_the_nearest(tmp_path, budget, nearest):
    searches = [
        lambda: random_search(SPACE, budget, score),
        lambda: exhaustive_search(SPACE, budget, score),
        lambda: search(tmp_path, 3, space=SPACE, budget=budget),
        lambda: search(tmp_path / "r", 3, space=SPACE, budget=budget, method="random"),
    ]
    for one in searches:
        with pytest.raises(InputError, match="no sub-network within the budget") as caught:
            one()
        assert "\n" not in str(caught.value)
        assert nearest in str(caught.value)


@pytest.mark.parametrize("measure", ["params", "macs", "bytes"])
def test_every_measure_bounds_what_it_says(measure):
    costs = sorted(SMALL.cost(ratios, measure) for ratios in SMALL.all())
    budget = Budget(measure, costs[40], costs[20])
    assert len(exhaustive_search(SMALL, budget, score)) >= 21
    assert all(costs[20] <= one.cost <= costs[40] for one in random_search(SMALL, budget, score))


def test_latency_is_a_budget_too():
    def pretended(spec):
        return sum(map(sum, spec.blocks)) / 100

    found = random_search(
        SMALL, Budget("latency", 12.0, latency=pretended), score, draws=5, most_costed=60
    )
    assert all(one.cost <= 12.0 for one in found)
    with pytest.raises(InputError, match=r"no sub-network within .* as the nearest"):
        random_search(SMALL, Budget("latency", 0.1, latency=pretended), score, most_costed=10)
    with pytest.raises(InputError, match="needs a latency function"):
        Budget("latency", 12.0)


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


def search(folder, evaluations, *, method="evolution", scorer=score, helps=False, **settings):
    given = {
        "space": SPACE,
        "budget": ANY,
        "scored": "supernet",
        "storage": folder / "search.journal",
        "population": 8,
    }
    return SharedSearch(method=method, evaluations=evaluations, **given | settings).run(
        scorer, helps=helps
    )


METHODS = pytest.mark.parametrize("method", ["random", "evolution"])


def test_the_random_search_in_a_storage_is_the_papers(tmp_path):
    budget = paper_budget(1.8e6)
    found = search(tmp_path, 25, method="random", budget=budget, seed=3)
    assert found == random_search(SPACE, budget, score, seed=3)
    few = search(tmp_path / "few", 25, method="random", budget=paper_budget(0.8e6), space=SMALL)
    assert few == random_search(SMALL, paper_budget(0.8e6), score)


@METHODS
def test_a_search_scores_each_sub_network_once_and_within_the_budget(tmp_path, method):
    counted = Counted()
    budget = Budget("params", 3e6)
    found = search(tmp_path, 20, method=method, scorer=counted, budget=budget)
    assert len(found) == len(counted.specs) == len(set(counted.specs)) == 20
    assert all(one.params <= 3e6 for one in found)


@METHODS
def test_a_search_goes_on_where_it_stopped(tmp_path, method):
    first = search(tmp_path, 15, method=method)
    counted = Counted()
    second = search(tmp_path, 30, method=method, scorer=counted)
    assert len(first) == len(counted.specs) == 15
    assert {one.ratios for one in first} < {one.ratios for one in second}
    again = search(tmp_path, 30, method=method, scorer=lambda spec: pytest.fail("scored again"))
    assert again == second


def test_evolution_ends_where_the_space_does(tmp_path):
    tiny = replace(SMALL, depth_pattern="X", ratios=(0.5, 1.0))
    assert len(search(tmp_path, 10, space=tiny)) == tiny.size == 4


def _helper(folder, method):
    search(folder, 12, method=method, helps=True)


@METHODS
def test_processes_that_join_share_a_storage(tmp_path, method):
    processes = [FORKS.Process(target=_helper, args=(tmp_path, method)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    found = search(tmp_path, 12, method=method, scorer=lambda spec: pytest.fail("done"))
    assert len(found) == len({one.ratios for one in found}) == 12
    if method == "random":
        assert found == search(tmp_path / "alone", 12, method=method)


@METHODS
def test_what_a_killed_process_was_at_is_scored_by_the_next(tmp_path, method):
    def killed(spec):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, 6, method=method, scorer=killed)
    found = search(tmp_path, 6, method=method, helps=True)
    assert len(found) == 6
    if method == "random":
        assert found == search(tmp_path / "alone", 6, method=method)


def test_draws_by_a_measured_cost_are_not_shared(tmp_path):
    budget = Budget("latency", 12.0, latency=lambda spec: 1.0)
    with pytest.raises(InputError, match="would not agree on a measured cost"):
        search(tmp_path, 2, method="random", budget=budget)


@pytest.mark.parametrize(
    "change",
    [
        {"space": paper_space("X,X,X", "layer")},
        {"space": SMALL},
        {"budget": Budget("params", 5e6)},
        {"method": "random"},
        {"seed": 1},
    ],
)
def test_a_storage_of_another_search_is_refused(tmp_path, change):
    search(tmp_path, 2)
    with pytest.raises(InputError, match="storage belongs to another search") as caught:
        search(tmp_path, 4, **change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["hello\n", '{"op_code": 99}\n', "[1, 2]\n"])
def test_a_file_that_is_no_journal_is_refused(tmp_path, content):
    (tmp_path / "search.journal").write_text(content)
    with pytest.raises(InputError, match="storage cannot be read") as caught:
        search(tmp_path, 2)
    assert "\n" not in str(caught.value)
