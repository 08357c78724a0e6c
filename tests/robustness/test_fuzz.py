"""Some hundreds of broken files of every kind; ten thousand of each in the slow tests."""

import subprocess

import pytest

from tests.commands import ROOT, command
from tests.robustness.fuzz import ALL, FAULTY, fuzz


def _assert_nothing_but_results_and_lines(kind, inputs):
    found = fuzz(ALL[kind], inputs, seed=1)
    assert not found.faults
    assert sum(found.outcomes.values()) == inputs
    assert set(found.outcomes) <= {"read", "refused"}


@pytest.mark.parametrize("kind", ALL)
def test_broken_files_end_in_a_result_or_one_line(kind):
    _assert_nothing_but_results_and_lines(kind, 20)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("kind", ALL)
def test_ten_thousand_broken_files(kind):
    _assert_nothing_but_results_and_lines(kind, 10_000)


def test_every_fault_is_seen():
    """The fuzzer is checked by a reader that does what none may."""
    found = fuzz(FAULTY, 14)
    assert set(found.outcomes) == {"traceback", "crash", "outside", "refused"}
    assert found.faults[-1][1] == "written outside: ['outside']"
    assert len(found.faults) == 15 - found.outcomes["refused"]


@pytest.mark.slow
def test_inputs_guided_by_coverage_reach_more_and_a_fault_is_seen(tmp_path):
    pytest.importorskip("atheris")
    given = ["--inputs=300", "--kinds=author cards,faulty", f"--output_dir={tmp_path}"]
    done = subprocess.run(
        command("tests.robustness.guided", *given), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    *_, cards, faulty = done.stdout.splitlines()
    _, inputs, of_valid_files, reached, faults, _ = cards.strip("| ").split(" | ")
    assert (inputs, faults) == ("300", "0")
    assert int(reached) > int(of_valid_files)
    assert faulty.split(" | ")[4] == "1"
