"""The cost of a sub-network's training step is proportional to its width."""

import time

import numpy as np
import pytest

from dcase_system.supernet.search_space import paper_space
from tests.benchmarks.bench_supernet import steps


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["2,2,X", "X,X,X"])
def test_the_smallest_sub_network_takes_at_most_0_45_of_the_largest_ones_time(pattern):
    # Processor time, not the time on the clock, in which the machine's other work is too.
    seconds = steps(paper_space(pattern), 7, time.process_time)
    smallest, largest = (
        float(np.median(seconds[f"the {name}"])) for name in ("smallest", "largest")
    )
    print(f"{pattern}: {smallest:.3f} s of {largest:.3f} s, {smallest / largest:.2f}")
    assert smallest <= 0.45 * largest
