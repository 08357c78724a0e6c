"""The search: each candidate once, resumed, shared, refused where foreign."""

import multiprocessing
from dataclasses import replace

import optuna
import pytest

from dcase_system.errors import InputError
from dcase_system.scene_search.search import Candidate, Search, front
from dcase_system.scene_search.space import Architecture, SceneSpace, SizeWindow

SPACE = SceneSpace("code")
METHODS = ["random", "nsga2"]


def score(architecture) -> tuple[float, float]:
    """Wider and faster growing is better."""
    return 40 + architecture.stem / 4 + 10 * architecture.growth, 1 / architecture.stem


class Counted:
    """Scores, and is interrupted at one candidate."""

    def __init__(self, interrupted_at: int | None = None):
        self.names, self._at = [], interrupted_at

    def __call__(self, architecture):
        if len(self.names) == self._at:
            self._at = None
            raise KeyboardInterrupt
        self.names.append(architecture.name)
        return score(architecture)


def search(tmp_path, method="random", **settings) -> Search:
    given = {"evaluations": 8, "population": 4, **settings}
    return Search(SPACE, method, "clips", tmp_path / "search.journal", **given)


@pytest.mark.parametrize("method", METHODS)
def test_each_candidate_once_within_the_window_best_first(tmp_path, method):
    counted = Counted()
    found = search(tmp_path, method).run(counted)
    assert len(found) == len(set(counted.names)) == len(counted.names) == 8
    assert all(SPACE.admits(one.architecture) for one in found)
    assert [(-one.accuracy, one.loss) for one in found] == sorted(
        (-one.accuracy, one.loss) for one in found
    )


def test_the_random_search_takes_the_candidates_in_their_order(tmp_path):
    counted = Counted()
    search(tmp_path).run(counted)
    expected = [one.name for one, _ in zip(SPACE.candidates(0), range(8), strict=False)]
    assert counted.names == expected


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupted_search_goes_on_with_the_candidate_it_was_at(tmp_path, method):
    counted = Counted(interrupted_at=3)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, method).run(counted)
    found = search(tmp_path, method).run(counted)
    assert len(found) == len(counted.names) == len(set(counted.names)) == 8
    if method == "random":
        whole = search(tmp_path / "whole").run(score)
        assert found == whole
    nothing = search(tmp_path, method).run(lambda _: pytest.fail("trained again"))
    assert nothing == found


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("attribute", ["worker", "excess", "architecture"])
def test_a_candidate_killed_while_it_was_written_down_is_not_lost(
    tmp_path, method, attribute, monkeypatch
):
    """Killed between two lines of the journal, after one of them."""
    write = optuna.Trial.set_user_attr

    def killed(trial, name, value):
        if trial.number == 2 and name == attribute:
            raise KeyboardInterrupt
        write(trial, name, value)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(optuna.Trial, "set_user_attr", killed)
        search(tmp_path, method).run(score)
    counted = Counted()
    found = search(tmp_path, method).run(counted)
    assert len(found) == len({one.name for one in found}) == 8
    if method == "random":
        assert found == search(tmp_path / "whole").run(score)


def test_both_methods_share_a_storage(tmp_path):
    found = {method: search(tmp_path, method).run(score) for method in METHODS}
    assert {method: len(of) for method, of in found.items()} == {"random": 8, "nsga2": 8}


def _work(folder, worker):
    search(folder).run(score, worker)


def test_two_processes_share_the_work(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_work, args=(tmp_path, number)) for number in (1, 2)]
    for process in workers:
        process.start()
    for process in workers:
        process.join(120)
    assert [process.exitcode for process in workers] == [0, 0]
    found = search(tmp_path).run(lambda _: pytest.fail("the workers did it"))
    assert len(found) == len({one.name for one in found}) in (8, 9)


def test_what_another_process_is_at_is_left_to_it(tmp_path):
    def killed(architecture):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(tmp_path).run(killed, worker=1)
    counted = Counted()
    search(tmp_path).run(counted, worker=2)
    expected = [one.name for one, _ in zip(SPACE.candidates(0), range(9), strict=False)]
    assert counted.names == expected[1:]


def test_two_processes_of_one_number_are_refused(tmp_path):
    def nested(architecture):
        search(tmp_path).run(score)

    with pytest.raises(InputError, match="another process has this worker number"):
        search(tmp_path).run(nested)


@pytest.mark.parametrize(
    "change",
    [
        {"space": SceneSpace("paper")},
        {"space": SceneSpace("code", SizeWindow(100, 200))},
        {"scored": "other clips"},
        {"seed": 1},
    ],
)
def test_a_storage_of_another_search_is_refused(tmp_path, change):
    search(tmp_path, evaluations=1).run(score)
    with pytest.raises(InputError, match="storage belongs to another search") as caught:
        replace(search(tmp_path), **change).run(score)
    assert "\n" not in str(caught.value)


def test_a_space_that_ends_ends_the_search(tmp_path):
    space = SceneSpace("paper", SizeWindow(0, 1), (1,), (4,), (1.0,))
    found = replace(search(tmp_path, evaluations=50), space=space).run(score)
    assert len(found) == 6


def test_the_front_is_what_nothing_beats():
    def one(name, accuracy, params, macs):
        return Candidate(name, Architecture((), 4, 1.0), params, macs, accuracy, 0.0)

    candidates = [one("a", 90, 5, 5), one("b", 80, 5, 4), one("c", 80, 6, 5), one("d", 70, 1, 9)]
    assert front(candidates) == {"a", "b", "d"}
