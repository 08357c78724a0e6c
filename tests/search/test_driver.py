"""The search driver: each candidate once, resuming, sharing, foreign storage refused."""

import sys
import threading
import time
from dataclasses import replace

import optuna
import pytest

from dcase_system.core.errors import InputError
from dcase_system.core.identity import identity
from dcase_system.search import shared
from tests.commands import FORKS
from tests.search.numbers import NUMBERS, Numbers, first, score, search

METHODS = ["random", "nsga2"]


class Counted:
    """Scores, and is interrupted at one candidate."""

    def __init__(self, interrupted_at: int | None = None):
        self.names, self._at = [], interrupted_at

    def __call__(self, candidate):
        if len(self.names) == self._at:
            self._at = None
            raise KeyboardInterrupt
        self.names.append(NUMBERS.name(candidate))
        return score(candidate)


def killed(candidate):
    raise KeyboardInterrupt


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "search.journal"


@pytest.fixture
def uninterrupted(tmp_path):
    """Results of an uninterrupted random search."""
    return search(tmp_path / "uninterrupted.journal").run(score)


@pytest.mark.parametrize("method", METHODS)
def test_each_candidate_is_evaluated_once_and_within_the_limits(journal, method):
    counted = Counted()
    found = search(journal, method).run(counted)
    assert sorted(one.name for one in found) == sorted(counted.names)
    assert len(set(counted.names)) == 8
    for one in found:
        assert one.measures == score(one.candidate)
        assert one.costs == (sum(one.candidate),) and sum(one.candidate) <= 9


def test_nsga2_is_shown_what_is_outside_the_limits_and_does_not_evaluate_it(journal):
    problem = Numbers(limit=3)
    found = search(journal, "nsga2", problem=problem, num_trials=6).run(score)
    trials = optuna.load_study(
        study_name="nsga2",
        storage=optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(str(journal))
        ),
    ).trials
    outside = [one for one in trials if sum(one.params.values()) > 3]
    assert len(found) == 6
    assert outside and all("measures" not in one.user_attrs for one in outside)


def test_a_random_search_takes_the_candidates_in_their_order(journal):
    counted = Counted()
    search(journal).run(counted)
    assert counted.names == first(8)


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupted_search_continues_with_the_candidate_it_was_at(
    journal, method, uninterrupted
):
    counted = Counted(interrupted_at=3)
    with pytest.raises(KeyboardInterrupt):
        search(journal, method).run(counted)
    found = search(journal, method).run(counted)
    assert len(found) == len(counted.names) == len(set(counted.names)) == 8
    if method == "random":
        assert found == uninterrupted
    assert search(journal, method).run(lambda _: pytest.fail("evaluated again")) == found


@pytest.mark.parametrize("method", METHODS)
def test_a_search_can_be_extended(journal, method):
    before = search(journal, method, num_trials=5).run(score)
    counted = Counted()
    after = search(journal, method).run(counted)
    assert len(counted.names) == 3
    assert {one.name for one in before} < {one.name for one in after}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("attribute", ["name", "measures"])
def test_a_candidate_whose_process_dies_while_writing_is_not_lost(
    journal, method, attribute, monkeypatch, uninterrupted
):
    """The process is killed between two lines of the journal."""
    write = optuna.Trial.set_user_attr

    def dying(trial, name, value):
        if trial.number >= 2 and name == attribute:
            raise KeyboardInterrupt
        write(trial, name, value)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(optuna.Trial, "set_user_attr", dying)
        search(journal, method).run(score)
    found = search(journal, method).run(score)
    assert len(found) == len({one.name for one in found}) == 8
    if method == "random":
        assert found == uninterrupted


def test_searches_of_other_names_share_a_storage(journal):
    found = {method: search(journal, method).run(score) for method in METHODS}
    assert {method: len(of) for method, of in found.items()} == {"random": 8, "nsga2": 8}


def _work(journal, method):
    search(journal, method).run(score, helps=True)


@pytest.mark.parametrize("method", METHODS)
def test_two_processes_share_the_work(journal, method, uninterrupted):
    workers = [FORKS.Process(target=_work, args=(journal, method)) for _ in range(2)]
    for process in workers:
        process.start()
    for process in workers:
        process.join(120)
    assert [process.exitcode for process in workers] == [0, 0]
    found = search(journal, method).run(lambda _: pytest.fail("the workers did it"))
    assert len(found) == len({one.name for one in found}) == 8
    if method == "random":
        assert found == uninterrupted


def test_the_next_worker_evaluates_what_a_dead_one_was_at(journal):
    with pytest.raises(KeyboardInterrupt):
        search(journal).run(killed)
    counted = Counted()
    search(journal).run(counted, helps=True)
    assert counted.names == first(8)


def test_what_a_living_worker_is_at_is_left_to_it_and_waited_for(journal, uninterrupted):
    """The other worker finishes all other candidates; the first one ends the search."""
    inner, done = Counted(), threading.Event()

    def helped(candidate):
        helper = threading.Thread(target=lambda: (search(journal).run(inner), done.set()))
        helper.start()
        while len(inner.names) < 7:
            time.sleep(0.01)
        assert not done.wait(1)  # it waits for this one
        return score(candidate)

    own = Counted()
    found = search(journal).run(lambda one: own(one) if inner.names else helped(one))
    assert done.wait(10)
    assert own.names == [] and inner.names == first(8)[1:]
    assert found == uninterrupted


def test_a_worker_killed_after_the_others_have_ended_leaves_nothing_short(journal):
    search(journal, num_trials=7).run(score)
    with pytest.raises(KeyboardInterrupt):
        search(journal).run(killed)
    counted = Counted()
    assert len(search(journal).run(counted)) == 8
    assert len(counted.names) == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_space_that_ends_ends_the_search(journal, method, caplog):
    with caplog.at_level("INFO"):
        found = search(journal, method, problem=Numbers(limit=2), num_trials=50).run(score)
    assert len(found) == 6
    assert "found 6 of 50 candidates within the limits" in caplog.text


def test_a_search_that_is_proposed_nothing_says_so(journal):
    class Stubborn(Numbers):
        def decode(self, decided):
            return 9, 9

    with pytest.raises(InputError, match="NSGA-II proposed no candidate within the limits"):
        search(journal, "nsga2", problem=Stubborn(), num_trials=1).run(score)


def test_a_storage_of_other_code_is_refused(journal, monkeypatch):
    search(journal, num_trials=1).run(score)
    monkeypatch.setattr(shared, "identity", lambda: identity() | {"keras": "2.0"})
    with pytest.raises(InputError, match=r"storage belongs to another code; .*received keras"):
        search(journal).run(score)


@pytest.mark.parametrize(
    "change", [{"problem": Numbers(8)}, {"scored": "other clips"}, {"seed": 1}, {"method": "nsga2"}]
)
def test_a_storage_of_another_search_is_refused(journal, change):
    search(journal, num_trials=1).run(score)
    with pytest.raises(InputError, match="storage belongs to another search") as caught:
        replace(search(journal), **change).run(score)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["hello\n", '{"op_code": 99}\n', "[1, 2]\n"])
def test_a_file_that_is_no_journal_is_refused(journal, content):
    journal.write_text(content)
    with pytest.raises(InputError, match="storage cannot be read") as caught:
        search(journal).run(score)
    assert "\n" not in str(caught.value)


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
def test_an_address_that_cannot_be_used_is_refused_in_one_line(storage, message):
    if storage.startswith("postgresql"):
        pytest.importorskip("psycopg")
    with pytest.raises(InputError, match=message) as caught:
        search(storage).run(score)
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)


def test_without_the_driver_a_database_is_refused_and_a_journal_works(journal, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match="requirements-cluster"):
        search("postgresql://u@h/d").run(score)
    assert len(search(journal).run(score)) == 8
