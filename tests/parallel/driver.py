"""Runs the tasks of `graphs.package` in a process that a test kills or interrupts.

python -m tests.parallel.driver --folder=RUNS
"""

from pathlib import Path

from absl import flags

from dcase_system.core import cli
from dcase_system.parallel.local import Local
from dcase_system.parallel.on_ray import Resources, cluster
from tests.parallel.graphs import package

_FOLDER = flags.DEFINE_string("folder", None, "Of the runs.", required=True)
_ADDRESS = flags.DEFINE_string("address", None, "Of a Ray cluster.")
_STEPS = flags.DEFINE_integer("steps", 3, "Tenths of a second a task.")


def main(_) -> None:
    folder = Path(_FOLDER.value)
    tasks = package(folder, _STEPS.value)
    if _ADDRESS.value is None:
        Local(folder / "logs", 2).run(tasks)
        return
    with cluster(_ADDRESS.value, Resources(1.0), folder) as nodes:
        nodes.run(tasks)


if __name__ == "__main__":
    cli.run(main)
