"""Which plans are kept, given up and shared."""

from dcase_system.audio.store.locks import Presence, claimed
from dcase_system.audio.store.shards import Shard
from tests.audio.store.clips import (
    corpus,
    count_decodes,
    names,
    planned_names,
    stored,
    stored_values,
    write_clip,
)

__all__ = ["corpus"]


def plan_only(store, root, clips):
    """A store as a process leaves it that is killed after it has planned."""
    stored(store, root, clips)
    for path in store.glob("*.int16"):
        path.unlink()


def test_plans_that_were_left_are_carried_out(tmp_path, corpus):
    store = tmp_path / "store"
    plan_only(store, corpus, names(0, 1, 2, 3))
    assert stored_values(stored(store, corpus, names(3, 2, 1, 0, 5))) == [3, 2, 1, 0, 5]
    assert planned_names(store) == {0: names(0, 1), 1: names(2, 3), 2: names(5)}


def test_a_plan_with_a_clip_that_has_changed_is_made_anew_in_its_place(tmp_path, corpus):
    store = tmp_path / "store"
    plan_only(store, corpus, names(0, 1, 2, 3))
    write_clip(corpus / "1.wav", 0.9)
    assert stored_values(stored(store, corpus, names(0, 1, 2, 3))) == [0, 90, 2, 3]
    assert planned_names(store) == {0: names(0, 1), 1: names(2, 3)}


def test_a_plan_with_a_clip_that_is_gone_is_made_anew(tmp_path, corpus):
    store = tmp_path / "store"
    plan_only(store, corpus, names(0, 1, 2, 3))
    (corpus / "1.wav").unlink()
    assert stored_values(stored(store, corpus, names(0, 2, 3))) == [0, 2, 3]
    assert planned_names(store) == {0: names(0), 1: names(2, 3)}


def test_clips_that_nobody_asks_for_any_more_are_not_decoded(tmp_path, corpus, monkeypatch):
    store = tmp_path / "store"
    plan_only(store, corpus, names(0, 1, 2, 3))
    decoded = count_decodes(monkeypatch)
    assert stored_values(stored(store, corpus, names(2, 0))) == [2, 0]
    assert sorted(decoded) == names(0, 2)
    assert planned_names(store) == {0: names(2, 0)}


def test_plans_are_left_alone_while_another_process_is_at_work(tmp_path, corpus, monkeypatch):
    store = tmp_path / "store"
    plan_only(store, corpus, names(0, 1, 2, 3))
    decoded = count_decodes(monkeypatch)
    with Presence(store):
        assert stored_values(stored(store, corpus, names(2, 4))) == [2, 4]
    assert sorted(decoded) == names(2, 3, 4)  # 3 is in the same shard: the other process wants it
    assert planned_names(store) == {0: names(0, 1), 1: names(2, 3), 2: names(4)}


def test_a_fault_of_a_clip_that_another_process_wants_is_its_own(tmp_path, corpus):
    store = tmp_path / "store"
    plan_only(store, corpus, names(0, 1, 2, 3))
    (corpus / "3.wav").unlink()
    with Presence(store):
        assert stored_values(stored(store, corpus, names(2))) == [2]
    assert planned_names(store) == {0: names(0, 1), 1: names(2)}


def test_who_is_alone_may_say_so(tmp_path):
    with Presence(tmp_path) as one:
        assert one.alone()
        with Presence(tmp_path) as other:
            assert not one.alone() and not other.alone()
        assert one.alone()


def test_a_plan_is_claimed_once(tmp_path):
    shard = Shard(tmp_path, 3)
    with claimed(shard.plan) as mine:
        assert not mine
    shard.write_plan(["a\t1\t2"])
    with claimed(shard.plan) as mine, claimed(shard.plan) as also:
        assert mine and not also
    with claimed(shard.plan, wait=True) as mine:
        assert mine


def test_rows_without_a_plan_pass_for_no_other_clips(tmp_path, corpus):
    store = tmp_path / "store"
    stored(store, corpus, names(0, 1))
    (store / "000000.tsv").unlink()
    assert stored_values(stored(store, corpus, names(2, 3))) == [2, 3]
