"""Runs independent tasks here or on the nodes of a cluster, as the flags say. Not a recipe."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from absl import flags

from dcase_system.parallel.local import Local
from dcase_system.parallel.on_ray import Resources, cluster
from dcase_system.parallel.tasks import Executor, Task

FLAGS = flags.FLAGS
_LOG = logging.getLogger("dcase_system.recipes")


def storage() -> str | None:
    """Returns the trial storage that the flag names, if any, after checking that it is reachable.

    Raises:
        InputError: See `check_storage`.
    """
    # Imports optuna: the package's recipe does not need it and should not wait for it.
    from dcase_system.search.shared import check_storage

    if FLAGS.storage:
        check_storage(FLAGS.storage)
    return FLAGS.storage or None


def several_at_once() -> bool:
    return FLAGS.executor == "ray" or FLAGS.parallel_tasks > 1


@contextmanager
def executor(output_dir: Path) -> Iterator[Executor]:
    """Yields the executor that the flags select.

    Args:
        output_dir: Folder that every node sees; task output goes to its `logs/`.

    Raises:
        InputError: See `cluster`.
    """
    if several_at_once():
        _LOG.info("task output: %s", output_dir / "logs")
    if FLAGS.executor == "local":
        yield Local(output_dir / "logs", FLAGS.parallel_tasks)
        return
    resources = Resources(FLAGS.task_cpus, FLAGS.task_gpus)
    with cluster(FLAGS.ray_address, resources, output_dir) as nodes:
        yield nodes


def search_together(run_dir: Path, *others: str) -> None:
    """Runs the search with several workers, here or on a cluster, if the flags ask for them.

    Each worker runs this command with `--join`; a worker that dies is restarted.

    Args:
        run_dir: Run directory of the search.
        *others: Flags that override this command's in the workers.

    Raises:
        InputError: A worker failed, or see `executor`.
    """
    if not several_at_once():
        return
    module = sys.modules["__main__"].__spec__
    assert module is not None  # recipes are run by `python -m`
    here = ("--join", "--executor=local", "--parallel_tasks=1")
    own = (f"--output_dir={run_dir}", "--nooverwrite", *here, *others)
    arguments = ("-m", module.name, *sys.argv[1:], *own)
    names = [f"search/{number}" for number in range(1, FLAGS.parallel_tasks + 1)]
    with executor(run_dir) as running:
        running.run([Task(name, arguments, run_dir / "logs" / name) for name in names])
