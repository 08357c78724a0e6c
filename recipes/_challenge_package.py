"""Implements `recipes.challenge_package`."""

import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from absl import flags

from dcase_system import runs
from dcase_system.challenge.finished import load_run
from dcase_system.challenge.package_results import result_row, write_results
from dcase_system.challenge.published import is_published_corpus
from dcase_system.challenge.systems import SYSTEMS
from dcase_system.challenge.teachers import missing_weights, teacher_plans
from dcase_system.core.errors import InputError
from dcase_system.corpora.demo_marker import is_demo
from dcase_system.corpora.lists import read_split
from dcase_system.parallel.tasks import Task
from dcase_system.submission.assemble import assemble
from recipes import _common, _executor
from recipes._flags import (
    LOG,
    augmentation,
    clips,
    given,
    output,
    package,
    pruning,
    systems,
    teachers,
)

FLAGS = flags.FLAGS


def _names(group: ModuleType) -> set[str]:
    return {flag.name for flag in FLAGS.get_key_flags_for_module(group)}


OF_PRUNING = _names(pruning)
_DECIDED_HERE = _names(output) | {"seed", "distill", "teachers", "teacher_epochs", "members"}
# Flags that the package passes on to its recipes.
TO_TEACHERS = {*_names(clips), *_names(augmentation), *_names(teachers), "distribution", "seed"}
TO_TEACHERS -= {"members"}
TO_STUDENTS = _names(systems) - OF_PRUNING - _DECIDED_HERE - _names(teachers)
# Flags that only locate clips (their lists are compared instead), or that change no result.
NOT_COMPARED = _names(package) | {"data_dir", "scenes", "cache_dir", "seed", "distribution"}
DECIDING = (_names(systems) | {"baseline"}) - _names(output) - NOT_COMPARED
"""Flags that decide what the recipes of a package train and write."""


def run() -> None:
    """Trains all systems of the package, packages them and prints the results."""
    keys, splits = FLAGS.systems, FLAGS.splits
    corpus, evaluation, name = _common.scenes()
    card = _common.author_card(keys, corpus.root)
    if evaluation is None:
        raise InputError(
            "no evaluation clips to predict",
            where="--evaluation_dir",
            expected="a folder with evaluation_setup/fold1_test.csv",
        )
    # Read every list now: otherwise an error in the last one would show only after days.
    lists = {split: read_split(corpus, int(split), evaluation) for split in splits}
    for system in keys:
        _common.check_system(system, corpus, packed=True)
    output_dir = Path(FLAGS.output_dir or f"runs/{name}/package-seed{FLAGS.seed}")
    seeds = range(FLAGS.seed, FLAGS.seed + FLAGS.seeds)
    settings = {
        "kind": "package",
        "systems": keys,
        "splits": splits,
        "seed": seeds[0],
        "seeds": len(seeds),
        "flags": given(*sorted(DECIDING)),
        "lists": {split: of_split.record for split, of_split in lists.items()},
    }
    names = list(dict.fromkeys([*keys, *(["baseline"] if FLAGS.baseline else [])]))
    tasks = Tasks(output_dir, names, splits, seeds)
    _announce(tasks)
    with runs.begun(output_dir, settings, overwrite=FLAGS.overwrite):
        with _executor.executor(output_dir) as executor:
            executor.run(tasks.all())
        done = {
            (name, seed): [load_run(tasks.run_dir(name, split, seed)) for split in splits]
            for name in names
            for seed in seeds
        }
        zipped = assemble(
            output_dir / "submission",
            card,
            [_common.submitted(system, done[system, seeds[0]]) for system in keys],
            scenes=corpus.scenes,
            devices=corpus.devices,
            evaluation_filenames=lists[splits[0]].evaluation,
            technical_report=Path(FLAGS.technical_report) if FLAGS.technical_report else None,
            for_submission=not is_demo(corpus.root),
        )
        rows = [
            result_row(
                name,
                seed,
                run.settings,
                run.scores,
                run.complexity,
                run.devices.scores if run.devices else None,
            )
            for (name, seed), of_system in done.items()
            for run in of_system
        ]
        same_corpus = is_published_corpus(corpus.scenes, len(lists[splits[0]].test))
        print(write_results(output_dir, rows, list(map(int, splits)), same_corpus=same_corpus))
    print(f"\nvalidated package: {zipped}\n\nNext:")
    validate = [f"--data_dir={corpus.root}", f"--evaluation_dir={evaluation}"]
    validate += [f"--splits={','.join(splits)}", *_set_by_user("scenes")]
    _print_command("dcase_system.submission.validate", zipped, *validate)
    edge = tasks.run_dir(keys[0], splits[-1], seeds[0]) / "edge"
    clip = corpus.root / lists[splits[0]].test.filenames[0]
    for model in sorted(edge.glob("*_waveform.tflite"))[-1:]:
        _print_command("dcase_system.edge.classify", model, clip)


def _announce(tasks: "Tasks") -> None:
    """Logs what will be trained, and what will take days, before it starts."""
    students = len(tasks.systems) * len(tasks.splits) * len(tasks.seeds)
    trained = f"students: {students}"
    if tasks.trains_teachers:
        trained = f"teachers: {len(FLAGS.members) * len(tasks.splits)}, {trained}"
    LOG.info("trainings on splits %s: %s", ", ".join(tasks.splits), trained)
    if tasks.trains_teachers:
        plans = teacher_plans(FLAGS.members, FLAGS.initial_weights, seed=FLAGS.seed, given={})
        if missing := missing_weights(plans):
            LOG.warning("%s", missing)


def _set_by_user(*names: str) -> list[str]:
    return [FLAGS[name].serialize() for name in names if FLAGS[name].present]


def _print_command(module: str, *arguments: object) -> None:
    """Prints a command that can be pasted into a shell."""
    print(f"  python -m {module}", *(shlex.quote(str(one)) for one in arguments), sep=" \\\n      ")


@dataclass(frozen=True)
class Tasks:
    """The recipes that make up a package; a split's teachers run before its students.

    Attributes:
        output_dir: Run directory of the package.
        systems: Names of the systems, in the order of the results table.
        splits: Percentages of the splits, in the order of the results table.
        seeds: Seeds of the students; those with the first seed are submitted.
    """

    output_dir: Path
    systems: Sequence[str]
    splits: Sequence[str]
    seeds: Sequence[int]

    def all(self) -> list[Task]:
        """Returns all tasks, in the order of a run without parallel tasks."""
        of_teachers = [task for split in self.splits for task in self._teachers(split)]
        return of_teachers + [
            self._run(name, split, seed)
            for seed in self.seeds
            for name in self.systems
            for split in self.splits
        ]

    def run_dir(self, system: str, split: str, seed: int) -> Path:
        of_seed = self.output_dir if seed == self.seeds[0] else self.output_dir / f"seed_{seed}"
        return of_seed / system / f"split_{split}"

    @property
    def trains_teachers(self) -> bool:
        return FLAGS.distill and not FLAGS.teachers

    def _teachers(self, split: str) -> Iterator[Task]:
        """One task for each member if tasks run in parallel, then one that stores the ensemble."""
        if not self.trains_teachers:
            return
        folder = self.output_dir / "teachers" / f"split_{split}"
        own = [f"--split={split}", f"--members={','.join(FLAGS.members)}"]
        if FLAGS.teacher_epochs:
            own.append(f"--epochs={FLAGS.teacher_epochs}")
        name, before = f"teachers/split_{split}", []
        if len(FLAGS.members) > 1 and _executor.several_at_once():
            for number, member in enumerate(FLAGS.members, 1):
                alone = [*own, f"--only={number}"]
                arguments = _command("teachers", folder, alone, TO_TEACHERS)
                directory = folder / f"{number}-{Path(member).stem}"
                before.append(Task(f"{name}-member_{number}", arguments, directory))
        yield from before
        arguments = _command("teachers", folder, own, TO_TEACHERS)
        yield Task(name, arguments, folder, tuple(task.name for task in before))

    def _run(self, system: str, split: str, seed: int) -> Task:
        own, after = [f"--system={system}"], list[str]()
        if not FLAGS.distill:
            own.append("--nodistill")
        elif system != "baseline":
            root = FLAGS.teachers or self.output_dir / "teachers"
            own.append(f"--teachers={Path(root) / f'split_{split}'}")
            after = [f"teachers/split_{split}"] if self.trains_teachers else []
        passed_on = TO_STUDENTS | (OF_PRUNING if SYSTEMS[system].rounds else set())
        run_dir = self.run_dir(system, split, seed)
        arguments = _command(f"split{split}", run_dir, own, passed_on)
        name = run_dir.relative_to(self.output_dir).as_posix()
        return Task(name, (*arguments, f"--seed={seed}"), run_dir, tuple(after))


def _command(
    recipe: str, directory: Path, own: Sequence[str], passed_on: Collection[str]
) -> tuple[str, ...]:
    """Builds a recipe's command: its own flags, and the package's flags that the user set."""
    as_given = _set_by_user(*sorted(passed_on))
    return ("-m", f"recipes.{recipe}", f"--output_dir={directory}", *own, *as_given)
