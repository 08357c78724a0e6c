"""Number of processor cores available to this process."""

import os


def usable_cores() -> int:
    """Number of cores this process may use; `taskset`, a scheduler or container may limit it."""
    if hasattr(os, "sched_getaffinity"):  # Linux; `os.process_cpu_count` needs Python 3.13
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
