"""The scene search: its space, its order, and the candidates it selects."""

from dataclasses import replace

import pytest

from dcase_system.core.errors import InputError
from dcase_system.scene_search.scene_space import Architecture, SceneSpace, SizeWindow
from dcase_system.scene_search.search import (
    Candidate,
    CandidateScore,
    SceneProblem,
    chosen,
    front,
)
from dcase_system.scene_search.search import search_scenes as run
from dcase_system.search.driver import Search

SPACE = SceneSpace("code")
METHODS = ["random", "nsga2"]


def score(architecture) -> CandidateScore:
    """Wider and faster growing is better."""
    accuracy = 40 + architecture.stem / 4 + 10 * architecture.growth
    return CandidateScore(accuracy, accuracy - 1, 1 / architecture.stem)


class Counted:
    def __init__(self):
        self.names = []

    def __call__(self, architecture):
        self.names.append(architecture.name)
        return score(architecture)


def search(tmp_path, method="random", **settings) -> Search:
    given = {"num_trials": 8, "population": 4, **settings}
    journal = tmp_path / "search.journal"
    return Search(SceneProblem(SPACE), method, "clips", journal, name=method, **given)


@pytest.mark.parametrize("method", METHODS)
def test_each_candidate_once_within_the_window_best_first(tmp_path, method):
    counted = Counted()
    found = run(search(tmp_path, method), counted)
    assert len(found) == len(set(counted.names)) == len(counted.names) == 8
    assert all(SPACE.admits(one.architecture) for one in found)
    order = [(-one.score.clip_accuracy, one.score.loss) for one in found]
    assert order == sorted(order)
    assert all(one.score == score(one.architecture) for one in found)


def test_the_random_search_takes_the_candidates_in_their_order(tmp_path):
    counted = Counted()
    run(search(tmp_path), counted)
    expected = [one.name for one, _ in zip(SPACE.candidates(0), range(8), strict=False)]
    assert counted.names == expected


def test_the_candidates_of_a_random_search_are_drawn_once(tmp_path, monkeypatch):
    """They are not drawn again for each of the 510."""
    draw, drawn = SceneSpace.draw, []
    monkeypatch.setattr(SceneSpace, "draw", lambda *given: drawn.append(1) or draw(*given))
    list(zip(SPACE.candidates(0), range(30), strict=False))
    once = len(drawn)
    run(search(tmp_path, num_trials=30), score)
    assert len(drawn) <= 2 * once


@pytest.mark.parametrize("space", [SceneSpace("paper"), SceneSpace("code", SizeWindow(100, 200))])
def test_a_storage_of_another_space_is_refused(tmp_path, space):
    run(search(tmp_path, num_trials=1), score)
    with pytest.raises(InputError, match="storage belongs to another search"):
        run(replace(search(tmp_path), problem=SceneProblem(space)), score)


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
