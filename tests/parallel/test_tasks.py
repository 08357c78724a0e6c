"""Tasks on this machine: order, lost tasks, failures, Ctrl-C, a killed parent."""

import os
import signal
import subprocess
import time

import pytest

from dcase_system.core.errors import InputError
from dcase_system.parallel.local import Local
from dcase_system.parallel.tasks import Task
from tests.commands import ROOT, command, heed_ctrl_c
from tests.parallel.graphs import all_end, package, pids, results, task


@pytest.fixture(autouse=True)
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def started(tmp_path, *given):
    return subprocess.Popen(
        command("tests.parallel.driver", f"--folder={tmp_path}", *given),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )


def wait_for_pids(folder, count):
    end = time.monotonic() + 60
    while len(pids(folder)) < count and time.monotonic() < end:
        time.sleep(0.02)
    assert len(pids(folder)) >= count


@pytest.mark.slow
def test_several_at_once_leave_what_one_after_another_does(tmp_path):
    for at_once in (1, 3):
        folder = tmp_path / str(at_once)
        Local(folder / "logs", at_once).run(package(folder))
    assert results(tmp_path / "1") == results(tmp_path / "3")
    assert len(results(tmp_path / "1")) == 6
    assert (tmp_path / "3" / "logs" / "s1_5.txt").read_text().endswith("written\n")


def test_a_task_waits_for_those_it_needs(tmp_path):
    """The writer itself asserts that they are done."""
    tasks = package(tmp_path)
    Local(tmp_path / "logs", 6).run(tasks[::-1])
    assert len(results(tmp_path)) == 6


def test_a_lost_task_is_begun_again_and_not_for_ever(tmp_path, caplog):
    executor = Local(tmp_path / "logs", 2)
    ended, killed = executor._ended, []

    def losing():
        wait_for_pids(tmp_path, 1)
        if not killed:
            killed.append(pids(tmp_path)[0])
            os.kill(killed[0], signal.SIGKILL)
        return ended()

    executor._ended = losing
    executor.run(package(tmp_path, steps=10))
    assert len(results(tmp_path)) == 6
    assert len(pids(tmp_path)) == 7
    with pytest.raises(InputError, match=r"hopeless: task was lost 3 times \(signal 9\)"):
        Local(tmp_path / "l", retries=2).run([task(tmp_path, "hopeless", "--fault=lost")])


def test_a_task_that_is_lost_before_it_has_a_folder_is_given_none(tmp_path):
    """A folder with a lock alone would be taken for something else within that of a run."""
    early = Task("early", ("-c", "import os; os.kill(os.getpid(), 9)"), tmp_path / "run" / "one")
    with pytest.raises(InputError, match="early: task was lost 2 times"):
        Local(tmp_path / "logs", retries=1).run([early])
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_task_that_fails_is_not_begun_again_and_stops_the_others(tmp_path, at_once):
    tasks = [task(tmp_path, "wrong", "--fault=input"), task(tmp_path, "long", "--steps=600")]
    with pytest.raises(InputError, match="received exit status 1") as caught:
        Local(tmp_path / "logs", at_once).run(tasks)
    assert ("writer: nothing to write" in str(caught.value)) == (at_once > 1)
    assert len((tmp_path / "wrong" / "pids").read_text().split()) == 1
    assert all_end(pids(tmp_path), 0)


@pytest.mark.slow
def test_ctrl_c_leaves_no_process_behind_and_the_next_start_goes_on(tmp_path):
    driver = started(tmp_path, "--steps=100")
    wait_for_pids(tmp_path, 2)
    driver.send_signal(signal.SIGINT)
    assert driver.wait(30) == 130
    assert driver.stderr.read().splitlines()[-1].startswith("error: interrupted")
    assert all_end(pids(tmp_path), 0)
    Local(tmp_path / "logs", 2).run(package(tmp_path, steps=3))
    assert len(results(tmp_path)) == 6


def test_tasks_end_with_a_parent_that_is_killed(tmp_path):
    driver = started(tmp_path, "--steps=600")
    wait_for_pids(tmp_path, 2)
    driver.kill()
    driver.wait()
    assert all_end(pids(tmp_path), 5)
