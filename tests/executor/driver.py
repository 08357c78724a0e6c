"""A process that runs the tasks of `graphs.package`, to be killed or interrupted.

python -m tests.executor.driver --folder=RUNS
"""

from pathlib import Path

from absl import flags

from dcase_system import cli
from dcase_system.executor.local import Local
from dcase_system.executor.on_ray import Needs, cluster
from dcase_system.executor.tasks import run_tasks
from tests.executor.graphs import package

_FOLDER = flags.DEFINE_string("folder", None, "Of the runs.", required=True)
_ADDRESS = flags.DEFINE_string("address", None, "Of a Ray cluster.")
_STEPS = flags.DEFINE_integer("steps", 3, "Tenths of a second a task.")


def main(_) -> None:
    folder = Path(_FOLDER.value)
    tasks = package(folder, _STEPS.value)
    if _ADDRESS.value is None:
        run_tasks(tasks, Local(folder / "logs", 2))
        return
    with cluster(_ADDRESS.value, Needs(1.0), folder) as nodes:
        run_tasks(tasks, nodes)


if __name__ == "__main__":
    cli.run(main)
