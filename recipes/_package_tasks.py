"""The tasks of the package's recipe, and what runs them, as its flags say. Not a recipe itself."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from absl.flags import FlagHolder

from dcase_system.executor.local import Local
from dcase_system.executor.on_ray import Needs, cluster
from dcase_system.executor.tasks import Executor, Task
from recipes import _flags
from recipes import _package_flags as own
from recipes._systems import SYSTEMS

_LOG = logging.getLogger("dcase_system.recipes")


@dataclass(frozen=True)
class Tasks:
    """The recipes that make a package; a split's teachers come before its students.

    Attributes:
        output_dir: of the package.
        systems: of the table, in its order.
        splits: in the order of the table.
        members: of the teachers.
    """

    output_dir: Path
    systems: Sequence[str]
    splits: Sequence[str]
    members: Sequence[str]

    def all(self) -> list[Task]:
        """In the order in which they are run one after another."""
        teachers = [task for split in self.splits for task in self._teachers(split)]
        return [*teachers, *(self._run(name, s) for name in self.systems for s in self.splits)]

    def run_dir(self, system: str, split: str) -> Path:
        return self.output_dir / system / f"split_{split}"

    @property
    def _trained_here(self) -> bool:
        return own.DISTILL.value and not _flags.TEACHERS.value

    def _teachers(self, split: str) -> Iterator[Task]:
        """Members at once where there may be several, then all of them: logits and ensemble."""
        if not self._trained_here:
            return
        folder = self.output_dir / "teachers" / f"split_{split}"
        given = [f"--split={split}", f"--members={','.join(self.members)}"]
        if own.TEACHER_EPOCHS.value:
            given.append(f"--epochs={own.TEACHER_EPOCHS.value}")
        name, before = f"teachers/split_{split}", []
        if len(self.members) > 1 and several_at_once():
            for number, member in enumerate(self.members, 1):
                alone = [*given, f"--only={number}"]
                arguments = _command("teachers", folder, alone, own.TO_TEACHERS)
                directory = folder / f"{number}-{Path(member).stem}"
                before.append(Task(f"{name}-member_{number}", arguments, directory))
        yield from before
        arguments = _command("teachers", folder, given, own.TO_TEACHERS)
        yield Task(name, arguments, folder, tuple(task.name for task in before))

    def _run(self, system: str, split: str) -> Task:
        given, after = [f"--system={system}"], list[str]()
        if own.DISTILL.value and system != "baseline":
            root = _flags.TEACHERS.value or self.output_dir / "teachers"
            given.append(f"--teachers={Path(root) / f'split_{split}'}")
            after = [f"teachers/split_{split}"] if self._trained_here else []
        passed_on = (*own.TO_STUDENTS, *(_flags.OF_PRUNING if SYSTEMS[system].rounds else ()))
        run_dir = self.run_dir(system, split)
        arguments = _command(f"split{split}", run_dir, given, passed_on)
        return Task(f"{system}/split_{split}", arguments, run_dir, tuple(after))


def several_at_once() -> bool:
    return own.EXECUTOR.value == "ray" or own.PARALLEL_TASKS.value > 1


@contextmanager
def executor(output_dir: Path) -> Iterator[Executor]:
    """What runs the tasks."""
    if several_at_once():
        _LOG.info("what the recipes say: %s", output_dir / "logs")
    if own.EXECUTOR.value == "local":
        yield Local(output_dir / "logs", own.PARALLEL_TASKS.value)
        return
    needs = Needs(own.TASK_CPUS.value, own.TASK_GPUS.value)
    with cluster(own.RAY_ADDRESS.value, needs, output_dir) as nodes:
        yield nodes


def _command(
    recipe: str, directory: Path, given: Sequence[str], passed_on: Sequence[FlagHolder]
) -> tuple[str, ...]:
    command = ["-m", f"recipes.{recipe}", f"--output_dir={directory}", *given]
    for name, value in _flags.given(passed_on).items():
        if value != []:
            command.append(f"--{name}={','.join(value) if isinstance(value, list) else value}")
    return tuple(command)
