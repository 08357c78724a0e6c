"""The search: each candidate once, resumed, shared, refused where foreign."""

import multiprocessing
import sys
import threading
import time
from dataclasses import replace

import optuna
import pytest

from dcase_system.core.errors import InputError
from dcase_system.core.identity import identity
from dcase_system.scene_search.search import Candidate, CandidateScore, Search, chosen, front
from dcase_system.scene_search.space import Architecture, SceneSpace, SizeWindow
from dcase_system.search import shared

SPACE = SceneSpace("code")
METHODS = ["random", "nsga2"]


def score(architecture) -> CandidateScore:
    """Wider and faster growing is better."""
    accuracy = 40 + architecture.stem / 4 + 10 * architecture.growth
    return CandidateScore(accuracy, accuracy - 1, 1 / architecture.stem)


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
    order = [(-one.score.clip_accuracy, one.score.loss) for one in found]
    assert order == sorted(order)
    assert all(one.score == score(one.architecture) for one in found)


def test_the_random_search_takes_the_candidates_in_their_order(tmp_path):
    counted = Counted()
    search(tmp_path).run(counted)
    expected = [one.name for one, _ in zip(SPACE.candidates(0), range(8), strict=False)]
    assert counted.names == expected


def test_the_candidates_of_a_random_search_are_drawn_once(tmp_path, monkeypatch):
    """Not anew for each of the 510."""
    draw, drawn = SceneSpace.draw, []
    monkeypatch.setattr(SceneSpace, "draw", lambda *given: drawn.append(1) or draw(*given))
    list(zip(SPACE.candidates(0), range(30), strict=False))
    once = len(drawn)
    search(tmp_path, evaluations=30).run(score)
    assert len(drawn) <= 2 * once


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
@pytest.mark.parametrize("attribute", ["name", "score"])
def test_a_candidate_killed_while_it_was_written_down_is_not_lost(
    tmp_path, method, attribute, monkeypatch
):
    """Killed between two lines of the journal, after one of them."""
    write = optuna.Trial.set_user_attr

    def killed(trial, name, value):
        if trial.number >= 2 and name == attribute:
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


def _work(folder):
    search(folder).run(score, helps=True)


def test_two_processes_share_the_work(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_work, args=(tmp_path,)) for _ in range(2)]
    for process in workers:
        process.start()
    for process in workers:
        process.join(120)
    assert [process.exitcode for process in workers] == [0, 0]
    found = search(tmp_path).run(lambda _: pytest.fail("the workers did it"))
    assert found == search(tmp_path / "alone").run(score)


def _killed(architecture):
    raise KeyboardInterrupt


def test_what_a_dead_process_was_at_is_taken_up_by_whoever_asks_first(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path).run(_killed)
    counted = Counted()
    search(tmp_path).run(counted, helps=True)
    expected = [one.name for one, _ in zip(SPACE.candidates(0), range(8), strict=False)]
    assert counted.names == expected


def test_what_a_living_process_is_at_is_left_to_it_and_waited_for(tmp_path):
    """The other one has all but that candidate when it is done; the first one ends the search."""
    inner, done = Counted(), threading.Event()

    def helped(architecture):
        helper = threading.Thread(target=lambda: (search(tmp_path).run(inner), done.set()))
        helper.start()
        while len(inner.names) < 7:
            time.sleep(0.01)
        assert not done.wait(1)  # it waits for this one
        return score(architecture)

    first = Counted()
    found = search(tmp_path).run(lambda one: helped(one) if not inner.names else first(one))
    assert done.wait(10)
    assert first.names == []
    expected = [one.name for one, _ in zip(SPACE.candidates(0), range(8), strict=False)]
    assert inner.names == expected[1:]
    assert found == search(tmp_path / "alone").run(score)


def test_a_process_that_was_killed_after_the_others_had_ended_leaves_nothing_short(tmp_path):
    search(tmp_path, evaluations=7).run(score)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path).run(_killed)
    counted = Counted()
    assert len(search(tmp_path).run(counted)) == 8
    assert len(counted.names) == 1


def test_a_storage_that_other_code_has_begun_is_refused(tmp_path, monkeypatch):
    search(tmp_path, evaluations=1).run(score)
    monkeypatch.setattr(shared, "identity", lambda: identity() | {"keras": "2.0"})
    with pytest.raises(InputError, match=r"storage belongs to another code; .*received keras"):
        search(tmp_path).run(score)


@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ("mysql://u:secret@h/d", "unknown kind of storage; expected a journal file or postgresql"),
        ("postgresql://u:secret@h/d", "password on a command line"),
        ("postgresql://u@h/d?password=secret", "password on a command line"),
        ("postgresql://u:secret@h:x/d", "address cannot be read|password on a command line"),
        ("postgresql://u@h", "address names no database"),
        (
            "postgresql+psycopg://u@127.0.0.1:1/d",
            "127.0.0.1:1/d: database cannot be used .*refused",
        ),
        ("postgresql://u@127.0.0.1:1/d", "127.0.0.1:1/d: database cannot be used .*refused"),
    ],
)
def test_an_address_that_is_none_is_refused_in_one_line(tmp_path, storage, message):
    if storage.startswith("postgresql"):
        pytest.importorskip("psycopg")
    with pytest.raises(InputError, match=message) as caught:
        replace(search(tmp_path), storage=storage).run(score)
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)


def test_without_the_driver_a_database_is_refused_and_a_journal_works(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match="requirements-cluster"):
        replace(search(tmp_path), storage="postgresql://u@h/d").run(score)
    assert len(search(tmp_path).run(score)) == 8


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


def scored(name, accuracy, loss=0.0, params=1, macs=1):
    score = CandidateScore(accuracy, 0.0, loss)
    return Candidate(name, Architecture((), 4, 1.0), params, macs, score)


def test_model_a_has_the_highest_accuracy_and_model_b_the_lowest_loss():
    """Section 4.4: "we picked two representative model architectures: model A has the highest test
    set accuracy and model B has the lowest test loss"."""
    candidates = [scored("x", 90, 0.3), scored("y", 93, 0.2), scored("z", 92, 0.1)]
    assert {model: one.name for model, one in chosen(candidates).items()} == {"A": "y", "B": "z"}


def test_of_equal_candidates_the_other_measure_decides_then_the_name():
    candidates = [
        scored("p", 93, 0.3),
        scored("q", 93, 0.2),
        scored("r", 80, 0.1),
        scored("s", 81, 0.1),
    ]
    assert {model: one.name for model, one in chosen(candidates).items()} == {"A": "q", "B": "s"}
    same = [scored("v", 93, 0.2), scored("u", 93, 0.2), scored("w", 90, 0.3)]
    assert {model: one.name for model, one in chosen(same).items()} == {"A and B": "u"}


def test_the_front_is_what_nothing_beats():
    def one(name, accuracy, params, macs):
        return scored(name, accuracy, params=params, macs=macs)

    candidates = [one("a", 90, 5, 5), one("b", 80, 5, 4), one("c", 80, 6, 5), one("d", 70, 1, 9)]
    assert front(candidates) == {"a", "b", "d"}
