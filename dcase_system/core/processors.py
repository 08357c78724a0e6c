"""How many processor cores there are for this process."""

import os


def usable_cores() -> int:
    """Cores that this process may run on: `taskset`, a scheduler or a container may leave few."""
    if hasattr(os, "sched_getaffinity"):  # Linux; `os.process_cpu_count` needs Python 3.13
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
