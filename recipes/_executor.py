"""What runs independent work, as flags say: here, or on the nodes of a cluster. Not a recipe."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from absl import flags

from dcase_system.executor.local import Local
from dcase_system.executor.on_ray import Needs, cluster
from dcase_system.executor.tasks import Executor, Task
from recipes import _flags  # noqa: F401 (defines --overwrite)

_LOG = logging.getLogger("dcase_system.recipes")

EXECUTOR = flags.DEFINE_enum(
    "executor", "local", ["local", "ray"], "Run the recipes here, or on the nodes of a Ray cluster."
)
PARALLEL_TASKS = flags.DEFINE_integer(
    "parallel_tasks",
    1,
    "With --executor=local: recipes at a time. Of several, the output goes into logs/ of the run.",
    lower_bound=1,
)
RAY_ADDRESS = flags.DEFINE_string(
    "ray_address",
    "auto",
    "ADDRESS: With --executor=ray: HOST:PORT of the cluster's head; auto for the cluster that this "
    "machine belongs to, which it has to anyway.",
)
TASK_CPUS = flags.DEFINE_float(
    "task_cpus", 1.0, "CORES: With --executor=ray: cores of a node that a recipe takes.", 0.01
)
TASK_GPUS = flags.DEFINE_float(
    "task_gpus",
    0.0,
    "GPUS: With --executor=ray: accelerators that a recipe takes, 0.5 for half of one; with 0 it "
    "sees none.",
    0.0,
)
FLAGS = (EXECUTOR, PARALLEL_TASKS, RAY_ADDRESS, TASK_CPUS, TASK_GPUS)

# Of searches, which a recipe does by itself, or with others.
STORAGE = flags.DEFINE_string(
    "storage",
    None,
    "PLACE: Where the trials of a search lie: a journal file that all machines see, or "
    "postgresql://user@host/database. [a journal in the run]",
)
JOIN = flags.DEFINE_bool(
    "join",
    False,
    "Only help with the search of a run that has the same flags otherwise; any number of processes "
    "may, and come and go as they like.",
)
flags.register_multi_flags_validator(
    ["join", "overwrite"],
    lambda given: not given["join"] or not given["overwrite"],
    message="--overwrite would remove the run that is to be helped: expected it without --join",
)
OF_SEARCHES = (STORAGE, JOIN, *FLAGS)
TEXTS_OF_SEARCHES = {
    "executor": "Search here, or on the nodes of a Ray cluster.",
    "parallel_tasks": "Processes that search; of several, and on a cluster, this one begins them, "
    "waits for them and does the rest. What they say goes into logs/ of the run.",
    "task_cpus": "CORES: With --executor=ray: cores of a node that a process takes.",
    "task_gpus": "GPUS: With --executor=ray: accelerators that a process takes, 0.5 for half of "
    "one; with 0 it sees none.",
}


def storage() -> str | None:
    """Where the trials of a search lie, if the flag says so; it can be reached.

    Raises:
        InputError: see `check_storage`.
    """
    # Imports optuna, which the package's recipe does not wait for.
    from dcase_system.storage.shared import check_storage

    if STORAGE.value:
        check_storage(STORAGE.value)
    return STORAGE.value or None


def several_at_once() -> bool:
    return EXECUTOR.value == "ray" or PARALLEL_TASKS.value > 1


@contextmanager
def executor(output_dir: Path) -> Iterator[Executor]:
    """What runs tasks.

    Args:
        output_dir: that every node sees; what tasks say goes into `logs/` of it.

    Raises:
        InputError: see `cluster`.
    """
    if several_at_once():
        _LOG.info("what they say: %s", output_dir / "logs")
    if EXECUTOR.value == "local":
        yield Local(output_dir / "logs", PARALLEL_TASKS.value)
        return
    needs = Needs(TASK_CPUS.value, TASK_GPUS.value)
    with cluster(RAY_ADDRESS.value, needs, output_dir) as nodes:
        yield nodes


def search_together(run_dir: Path, *others: str) -> None:
    """Has several processes, or those of a cluster, search to the end, if the flags say so.

    Each is this command with `--join`; one that is lost is begun again.

    Args:
        run_dir: of the search.
        *others: flags that they have in the place of this command's.

    Raises:
        InputError: one failed, or see `executor`.
    """
    if not several_at_once():
        return
    module = sys.modules["__main__"].__spec__
    assert module is not None  # recipes are run by `python -m`
    here = ("--join", "--executor=local", "--parallel_tasks=1")
    own = (f"--output_dir={run_dir}", "--nooverwrite", *here, *others)
    arguments = ("-m", module.name, *sys.argv[1:], *own)
    names = [f"search/{number}" for number in range(1, PARALLEL_TASKS.value + 1)]
    with executor(run_dir) as running:
        running.run([Task(name, arguments, run_dir / "logs" / name) for name in names])
