"""The tasks of the package's recipe, as its flags say. Not a recipe itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from absl.flags import FlagHolder

from dcase_system.challenge.systems import SYSTEMS
from dcase_system.executor.tasks import Task
from recipes import _executor, _flags
from recipes import _package_flags as own


@dataclass(frozen=True)
class Tasks:
    """The recipes that make a package; a split's teachers come before its students.

    Attributes:
        output_dir: of the package.
        systems: of the table, in its order.
        splits: in the order of the table.
        members: of the teachers.
        seeds: of the students; the first one's are handed in.
    """

    output_dir: Path
    systems: Sequence[str]
    splits: Sequence[str]
    members: Sequence[str]
    seeds: Sequence[int]

    def all(self) -> list[Task]:
        """In the order in which they are run one after another."""
        teachers = [task for split in self.splits for task in self._teachers(split)]
        return teachers + [
            self._run(name, split, seed)
            for seed in self.seeds
            for name in self.systems
            for split in self.splits
        ]

    def run_dir(self, system: str, split: str, seed: int) -> Path:
        of_seed = self.output_dir if seed == self.seeds[0] else self.output_dir / f"seed_{seed}"
        return of_seed / system / f"split_{split}"

    @property
    def _trained_here(self) -> bool:
        return _flags.DISTILL.value and not _flags.TEACHERS.value

    def _teachers(self, split: str) -> Iterator[Task]:
        """Members at once where there may be several, then all of them: logits and ensemble."""
        if not self._trained_here:
            return
        folder = self.output_dir / "teachers" / f"split_{split}"
        given = [f"--split={split}", f"--members={','.join(self.members)}"]
        if _flags.TEACHER_EPOCHS.value:
            given.append(f"--epochs={_flags.TEACHER_EPOCHS.value}")
        name, before = f"teachers/split_{split}", []
        if len(self.members) > 1 and _executor.several_at_once():
            for number, member in enumerate(self.members, 1):
                alone = [*given, f"--only={number}"]
                arguments = _command("teachers", folder, alone, own.TO_TEACHERS)
                directory = folder / f"{number}-{Path(member).stem}"
                before.append(Task(f"{name}-member_{number}", arguments, directory))
        yield from before
        arguments = _command("teachers", folder, given, own.TO_TEACHERS)
        yield Task(name, arguments, folder, tuple(task.name for task in before))

    def _run(self, system: str, split: str, seed: int) -> Task:
        given, after = [f"--system={system}"], list[str]()
        if not _flags.DISTILL.value:
            given.append("--nodistill")
        elif system != "baseline":
            root = _flags.TEACHERS.value or self.output_dir / "teachers"
            given.append(f"--teachers={Path(root) / f'split_{split}'}")
            after = [f"teachers/split_{split}"] if self._trained_here else []
        passed_on = (*own.TO_STUDENTS, *(_flags.OF_PRUNING if SYSTEMS[system].rounds else ()))
        run_dir = self.run_dir(system, split, seed)
        arguments = _command(f"split{split}", run_dir, given, passed_on)
        name = run_dir.relative_to(self.output_dir).as_posix()
        return Task(name, (*arguments, f"--seed={seed}"), run_dir, tuple(after))


def _command(
    recipe: str, directory: Path, given: Sequence[str], passed_on: Sequence[FlagHolder]
) -> tuple[str, ...]:
    command = ["-m", f"recipes.{recipe}", f"--output_dir={directory}", *given]
    for name, value in _flags.given(passed_on).items():
        if value != []:
            command.append(f"--{name}={','.join(value) if isinstance(value, list) else value}")
    return tuple(command)
