"""Counts the cores that a process may use, not those of the machine."""

import os

import pytest

from dcase_system.core.processors import usable_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux alone can confine")
def test_only_the_cores_that_a_process_may_run_on_count():
    given = os.sched_getaffinity(0)
    assert usable_cores() == len(given)
    try:
        os.sched_setaffinity(0, {min(given)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, given)
