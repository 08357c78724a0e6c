"""A search of several processes over a journal and over PostgreSQL: killed, cut off, refused."""

import json
import os
import time

import optuna
import pytest

from dcase_system.core.errors import InputError
from dcase_system.search import database
from tests.commands import FORKS
from tests.search import postgres
from tests.search.numbers import NUMBERS, first, score, search

WANTED = 8
GRACE_SECONDS = 5  # a minute is what a user has


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as patched, postgres.server() as started:
        patched.setenv("PGPASSWORD", postgres.PASSWORD)
        yield started


@pytest.fixture(params=["journal", pytest.param("database", marks=pytest.mark.cluster)])
def storage(request, tmp_path):
    if request.param == "journal":
        return str(tmp_path / "search.journal")
    return request.getfixturevalue("server").create(f"d{os.getpid()}_{time.monotonic_ns()}")


def work(folder, storage, method, worker, slow_at):
    """A worker that logs the start and end of each candidate, and is slow at one."""
    os.environ["PGPASSWORD"] = postgres.PASSWORD
    database.HEARTBEAT_SECONDS, database.GRACE_SECONDS = 1, GRACE_SECONDS
    count = 0

    def note(what, name):
        with (folder / what).open("a") as stream:  # one write, so that no kill tears a line
            stream.write(f"{worker} {name}\n")

    def evaluate(candidate):
        nonlocal count
        count += 1
        note("begun", NUMBERS.name(candidate))
        time.sleep(60 if count == slow_at else 0.2)
        note("ended", NUMBERS.name(candidate))
        return score(candidate)

    try:
        found = search(storage, method).run(evaluate, helps=worker > 1)
    except InputError as error:
        (folder / f"error{worker}").write_text(str(error))
        raise SystemExit(1) from None
    (folder / f"found{worker}.json").write_text(json.dumps([one.name for one in found]))


# Each storage and each method in `make test`, the other pairs in `make test-slow`.
PAIRS = pytest.mark.parametrize(
    ("storage", "method"),
    [
        ("journal", "random"),
        pytest.param("database", "nsga2", marks=[pytest.mark.slow, pytest.mark.cluster]),
        pytest.param("journal", "nsga2", marks=pytest.mark.slow),
        pytest.param("database", "random", marks=[pytest.mark.slow, pytest.mark.cluster]),
    ],
    indirect=["storage"],
)


def started(folder, storage, method, worker, slow_at=0):
    process = FORKS.Process(target=work, args=(folder, storage, method, worker, slow_at))
    process.start()
    return process


def lines(path):
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@PAIRS
def test_of_three_workers_one_is_killed_within_a_candidate(tmp_path, storage, method):
    victim = started(tmp_path, storage, method, 1, slow_at=2)
    wait_until(lambda: len(lines(tmp_path / "begun")) == 2)
    others = [started(tmp_path, storage, method, number) for number in (2, 3)]
    wait_until(lambda: len(lines(tmp_path / "begun")) >= 4)
    victim.kill()
    victim.join()
    for process in others:
        process.join(120)
    assert [process.exitcode for process in others] == [0, 0]
    begun, ended = lines(tmp_path / "begun"), lines(tmp_path / "ended")
    cut = begun[1][1]
    names = [name for _, name in ended]
    assert len(names) == len(set(names)) == WANTED  # none lost, none repeated
    assert sorted(name for _, name in begun) == sorted([*names, cut])
    assert [worker for worker, name in begun if name == cut][1] in "23"
    for number in (2, 3):
        assert set(json.loads((tmp_path / f"found{number}.json").read_text())) == set(names)
    found = search(storage, method).run(lambda _: pytest.fail("trained again"))
    if method == "random":
        assert found == search(tmp_path / "alone", "random").run(score)
        assert set(names) == set(first(WANTED))


@pytest.mark.parametrize(
    "storage",
    ["journal", pytest.param("database", marks=[pytest.mark.slow, pytest.mark.cluster])],
    indirect=True,
)
def test_a_worker_killed_when_the_others_wait_for_it_leaves_nothing_short(tmp_path, storage):
    victim = started(tmp_path, storage, "random", 1, slow_at=1)
    wait_until(lambda: lines(tmp_path / "begun"))
    other = started(tmp_path, storage, "random", 2)
    wait_until(lambda: len(lines(tmp_path / "ended")) == WANTED - 1)
    other.join(2)
    assert other.exitcode is None
    victim.kill()
    other.join(60)
    assert other.exitcode == 0
    assert len(json.loads((tmp_path / "found2.json").read_text())) == WANTED


def test_searches_and_code_are_told_apart(storage, monkeypatch):
    assert len(search(storage, "random").run(score)) == WANTED
    with pytest.raises(InputError, match="storage belongs to another search"):
        search(storage, "random", seed=1).run(score)
    monkeypatch.setattr("dcase_system.search.shared.identity", lambda: {"sources": "x"})
    with pytest.raises(InputError, match="storage belongs to another code"):
        search(storage, "random").run(score)


@PAIRS
def test_as_many_are_trained_as_were_wanted_however_many_ask_for_the_last(
    tmp_path, storage, method
):
    processes = [started(tmp_path, storage, method, number) for number in range(1, 4)]
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 3
    names = [name for _, name in lines(tmp_path / "ended")]
    assert len(names) == len(set(names)) == WANTED


@pytest.mark.cluster
@pytest.mark.parametrize("moment", ["set_trial_user_attr", "set_trial_state_values"])
def test_who_is_taken_for_dead_loses_its_candidate_and_goes_on(
    server, tmp_path, monkeypatch, moment
):
    """As after a machine was suspended: its candidate now belongs to another process."""
    url, storage = server.create(f"asleep_{moment}"), optuna.storages.RDBStorage
    write, fail, taken = getattr(storage, moment), storage.set_trial_state_values, []

    def late(self, trial_id, *given, **named):
        ends = {"measures", optuna.trial.TrialState.COMPLETE} & {
            *given[:1],
            named.get("key"),
            named.get("state"),
        }
        if ends and not taken:
            taken.append(trial_id)
            fail(self, trial_id, optuna.trial.TrialState.FAIL)
        return write(self, trial_id, *given, **named)

    monkeypatch.setattr(storage, moment, late)
    found = search(url, "random").run(score)
    assert taken
    assert found == search(tmp_path / "alone", "random").run(score)


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("name", "password", "message"),
    [
        ("none", postgres.PASSWORD, 'database "none" does not exist'),
        ("postgres", "wrong-secret", f'password authentication failed for user "{postgres.USER}"'),
    ],
)
def test_a_database_that_cannot_be_used_is_refused(server, monkeypatch, name, password, message):
    monkeypatch.setenv("PGPASSWORD", password)
    with pytest.raises(InputError) as caught:
        search(server.url(name), "random").run(score)
    text = str(caught.value)
    assert "database cannot be used" in text and message in text
    assert "\n" not in text and "secret" not in text


@pytest.mark.slow
@pytest.mark.cluster
def test_what_is_no_database_is_refused(tmp_path):
    import http.server
    import threading

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with pytest.raises(InputError, match="database cannot be used"):
        search(f"postgresql://u@127.0.0.1:{web.server_port}/d", "random").run(score)
    web.shutdown()


@pytest.mark.cluster
def test_tables_of_others_are_refused(server, monkeypatch):
    import psycopg

    url = server.create("foreign_tables")
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE studies (thesis text)")
    with pytest.raises(InputError, match="database cannot be used") as caught:
        search(url, "random").run(score)
    assert "\n" not in str(caught.value)


@pytest.mark.cluster
def test_a_connection_lost_in_the_middle_ends_in_one_line_and_the_same_command_goes_on(tmp_path):
    with postgres.server() as started_server:
        url = started_server.create("lost")
        process = started(tmp_path, url, "random", 0)
        wait_until(lambda: len(lines(tmp_path / "ended")) == 3)
        started_server.stop()
        process.join(60)
        assert process.exitcode == 1
        text = (tmp_path / "error0").read_text()
        assert "connection to the database was lost; run the same command again to resume" in text
        assert "\n" not in text and postgres.PASSWORD not in text
        started_server.start()
        again = started(tmp_path, url, "random", 0)
        again.join(60)
        assert again.exitcode == 0
    assert len(json.loads((tmp_path / "found0.json").read_text())) == WANTED
    names = [name for _, name in lines(tmp_path / "ended")]
    assert len(set(names)) == WANTED
    assert len(names) <= WANTED + 1  # the one whose result could not be written any more
