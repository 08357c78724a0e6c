"""What runs independent work, as flags say: here, or on the nodes of a cluster. Not a recipe."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from absl import flags

from dcase_system.parallel.local import Local
from dcase_system.parallel.on_ray import Needs, cluster
from dcase_system.parallel.tasks import Executor, Task

FLAGS = flags.FLAGS
_LOG = logging.getLogger("dcase_system.recipes")


def storage() -> str | None:
    """Where the trials of a search lie, if the flag says so; it can be reached.

    Raises:
        InputError: see `check_storage`.
    """
    # Imports optuna, which the package's recipe does not wait for.
    from dcase_system.search.shared import check_storage

    if FLAGS.storage:
        check_storage(FLAGS.storage)
    return FLAGS.storage or None


def several_at_once() -> bool:
    return FLAGS.executor == "ray" or FLAGS.parallel_tasks > 1


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
    if FLAGS.executor == "local":
        yield Local(output_dir / "logs", FLAGS.parallel_tasks)
        return
    needs = Needs(FLAGS.task_cpus, FLAGS.task_gpus)
    with cluster(FLAGS.ray_address, needs, output_dir) as nodes:
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
    names = [f"search/{number}" for number in range(1, FLAGS.parallel_tasks + 1)]
    with executor(run_dir) as running:
        running.run([Task(name, arguments, run_dir / "logs" / name) for name in names])
