"""Notices of native code are hidden; all other lines of standard error are kept."""

import os
import subprocess
import sys
import threading

import pytest

from dcase_system.core.native_messages import hidden
from tests.commands import ROOT
from tests.core.test_interrupts import LAST, NATIVE, ended, started

NOTICES = [
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "W0000 00:00:1796064415.114263   16734 tf_tfl_flatbuffer_helpers.cc:392] Ignored x.",
    "I0000 00:00:1796064415.114263   16734 service.cc:145] XLA service",
    "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
    "fully_quantize: 0, inference_type: 6, input_inference_type: INT8",
]
OTHERS = [
    "E0000 00:00:1796064415.114263   16734 file.cc:1] out of memory",
    "12:00:00 WARNING: a line of ours",
    "  an indented line",
    "WARNING: another",
]


def write(*lines: str) -> None:
    os.write(2, "".join(f"{line}\n" for line in lines).encode())


def test_notices_alone_are_hidden(capfd):
    with hidden():
        write(*NOTICES, *OTHERS, *NOTICES)
    assert capfd.readouterr().err.splitlines() == OTHERS
    write(NOTICES[0])
    assert capfd.readouterr().err.splitlines() == NOTICES[:1]


def test_all_is_passed_on_if_the_block_raises(capfd):
    with pytest.raises(ValueError, match="refused"), hidden():
        write(*NOTICES, *OTHERS)
        raise ValueError("refused")
    assert capfd.readouterr().err.splitlines() == [*NOTICES, *OTHERS]


def test_blocks_may_lie_in_each_other(capfd):
    with hidden():
        write("before")
        with hidden():
            write(NOTICES[0], "within")
        write("behind", NOTICES[1])
    assert capfd.readouterr().err.splitlines() == ["before", "within", "behind"]


def test_threads_take_turns_and_lose_no_line(capfd):
    def work(number: int) -> None:
        for step in range(20):
            with hidden():
                write(NOTICES[step % len(NOTICES)], f"line {number} {step}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    lines = capfd.readouterr().err.splitlines()
    assert sorted(lines) == sorted(f"line {n} {step}" for n in range(4) for step in range(20))


def test_a_closed_standard_error_is_none_to_hide():
    code = (
        "import os; os.close(2)\n"
        "from dcase_system.core.native_messages import hidden\n"
        "with hidden(): print('worked')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "worked\n")


def test_ctrl_c_is_answered_while_standard_error_is_held_back():
    setup = f"{NATIVE}\nfrom dcase_system.core.native_messages import hidden"
    process = started("with hidden(): stubborn(20)", setup=setup)
    status, lines, seconds = ended(process)
    assert status == 130 and lines == ["stopping ...", LAST]
    assert seconds < 6


def test_ctrl_c_in_python_is_answered_without_notices():
    setup = (
        "import os\nfrom dcase_system.core.native_messages import hidden\n"
        f"def work():\n    with hidden():\n        os.write(2, {NOTICES[0]!r}.encode() + b'\\n')\n"
        "        time.sleep(60)"
    )
    status, lines, _ = ended(started("work()", setup=setup))
    assert status == 130 and lines[-1] == LAST
    assert set(lines) <= {"stopping ...", LAST}
