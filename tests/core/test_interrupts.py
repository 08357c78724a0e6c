"""Ctrl-C is confirmed at once, and the process ends within seconds at any point."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands import ROOT, heed_ctrl_c

# In C without Python's lock, as TensorFlow is; where the signal does not cut a sleep short either.
NATIVE = """
import ctypes, signal
def stubborn(seconds):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    ctypes.CDLL(None).sleep(seconds)
"""
COMMAND = """
import sys, time
from absl import flags
{setup}
from dcase_system.core import cli
from dcase_system.core import interrupts
flags.DEFINE_bool("overwrite", False, "Begins anew.")
def main(_):
    print("begun", flush=True)
    {work}
interrupts.watch()
{before}
cli.run(main)
"""
WAIT = "time.sleep(60)"


def started(work=WAIT, *arguments, setup="", before="", env=None, ignore=False):
    """Starts a command that runs this Python code and reports when it begins."""
    code = COMMAND.format(setup=setup, work=work, before=before)
    how = signal.SIG_IGN if ignore else signal.SIG_DFL
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, how),
    )
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.3)  # until it is in the middle of it
    return process


def ended(process, signals=1, apart=0.3):
    """Returns exit status, lines of standard error, and seconds until the end."""
    begun = time.monotonic()
    for _ in range(signals):
        process.send_signal(signal.SIGINT)
        time.sleep(apart)
    _, errors = process.communicate(timeout=30)
    return process.returncode, errors.splitlines(), time.monotonic() - begun


LAST = "error: interrupted; the same command resumes where it stopped"


def test_work_in_python_is_stopped_at_once():
    status, lines, seconds = ended(started())
    assert status == 130 and lines[-1] == LAST
    assert set(lines) <= {"stopping ...", LAST}
    assert seconds < 1.5


def test_a_moment_is_left_to_put_things_in_order():
    work = "try: time.sleep(60)\n    finally: time.sleep(1); print('in order', file=sys.stderr)"
    status, lines, _ = ended(started(work))
    assert status == 130
    assert lines == ["stopping ...", "in order", LAST]


def test_native_work_is_ended_after_two_seconds_and_the_line_comes_before():
    process = started("stubborn(20)", setup=NATIVE)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline() == "stopping ...\n"
    assert time.monotonic() - begun < 1
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130 and errors.splitlines() == [LAST]
    assert 1.5 < time.monotonic() - begun < 6


def test_a_second_one_ends_native_work_at_once():
    status, lines, seconds = ended(started("stubborn(20)", setup=NATIVE), signals=2)
    assert status == 130 and lines == ["stopping ...", LAST]
    assert seconds < 1.5


def test_interrupts_that_a_finaliser_swallows_are_no_tracebacks():
    work = "item = Finalised(); del item"
    setup = "class Finalised:\n    def __del__(self):\n        time.sleep(60)"
    status, lines, _ = ended(started(work + f"\n    {WAIT}", setup=setup))
    assert status == 130 and lines == ["stopping ...", LAST]


def test_before_the_work_there_is_neither_waiting_nor_a_traceback():
    before = f"print('begun', flush=True); {WAIT}"
    status, lines, seconds = ended(started(before=before))
    assert status == 130 and lines == ["stopping ...", "error: interrupted"]
    assert seconds < 1.5


def test_a_command_is_watched_while_it_imports():
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "recipes.split100"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    while "dcase_system.core.interrupts" not in process.stderr.readline():
        pass
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == LAST
    assert "Traceback" not in errors


def test_whoever_imports_the_package_keeps_their_own_ctrl_c():
    code = "import dcase_system, signal; print(signal.getsignal(2) is signal.default_int_handler)"
    for command in (["-c", code], ["-m", "timeit", "-n1", "-r1", code]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            capture_output=True,
            text=True,
            preexec_fn=heed_ctrl_c,
        )
        assert done.stdout.startswith("True"), done


def test_what_is_left_of_a_run_that_overwrites_is_gone_on_with_without_the_flag():
    _, lines, _ = ended(started(WAIT, "--overwrite"))
    assert lines[-1].endswith("the same command without --overwrite resumes where it stopped")


def test_a_child_of_a_command_leaves_the_first_line_to_its_parent():
    process = started("stubborn(20)", setup=NATIVE, env={"DCASE_PARENT": str(os.getpid())})
    status, lines, _ = ended(process)
    assert status == 130 and lines == [LAST]


def test_where_the_signal_is_ignored_it_stays_so():
    process = started("time.sleep(2)", ignore=True)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0 and errors == ""


def test_a_forked_child_does_not_speak_for_its_parent():
    work = "child = os.fork()\n    os.waitpid(child, 0) if child else time.sleep(1)"
    work += f"\n    {WAIT} if child else os._exit(0)"
    process = started(work, setup="import os")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    os.kill(int(children.read_text()), signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(3)
    assert ended(process)[0] == 130
