"""DCASE 2024 Task 1, whole: every system on all five splits, one validated zip.

    python -m recipes.challenge_package --data_dir=DEVELOPMENT \\
        --evaluation_dir=EVALUATION

For each split trains teachers (`recipes.teachers`), unless `--teachers` names them, and each system
(`recipes.split5` ... `recipes.split100`), each in a process of its own with the flags given here,
then packs their outputs. What is done is not done again: the same command goes on where it was
interrupted. The published teachers are PaSST, which need an accelerator: name others in `--members`
or say `--nodistill`. Without --data_dir the demo corpus is used, with smaller networks and on three
splits: ten minutes on two cores are not enough for five.

    python -m recipes.challenge_package --data_dir=DEVELOPMENT \\
        --evaluation_dir=EVALUATION --executor=ray

On a Ray cluster each node must see the checkout, the clips, the stores and the output under the
same paths as here, with the same code and versions; this is checked before anything is begun.
"""

from collections.abc import Sequence
from pathlib import Path

from dcase_system import cli, runs
from dcase_system.challenge.published import is_published_corpus
from dcase_system.challenge.systems import SYSTEMS
from dcase_system.challenge.teachers import PUBLISHED_MEMBERS
from dcase_system.corpora import tau
from dcase_system.corpora.demo_marker import is_demo
from dcase_system.corpora.lists import read_split
from dcase_system.errors import InputError
from dcase_system.help import Flags
from dcase_system.pipeline import load_run
from dcase_system.reporting.package_results import result_row, write_results
from dcase_system.submission.assemble import assemble
from recipes import _common, _executor, _flags, _package_tasks
from recipes import _package_flags as own

PUBLISHED = {
    "systems": ["S1", "S2c", "S3"],
    "splits": list(map(str, tau.SPLITS)),
    "members": PUBLISHED_MEMBERS,
}
DEMO = {"systems": ["S1"], "splits": ["5", "25", "100"], "members": ["cp_mobile"]}


def main(argv: Sequence[str]) -> None:
    defaults = DEMO if _flags.DATA_DIR.value is None else PUBLISHED
    systems = own.SYSTEMS.value or defaults["systems"]
    splits = own.SPLITS.value or defaults["splits"]
    _check("--systems", systems, list(SYSTEMS), most=4)
    _check("--splits", splits, PUBLISHED["splits"], most=5)
    corpus, evaluation, name = _common.folders()
    card = _common.author_card(systems, corpus.root)
    if evaluation is None:
        raise InputError(
            "no evaluation clips to predict",
            where="--evaluation_dir",
            expected="a folder with evaluation_setup/fold1_test.csv",
        )
    # Every list is read now, since the last one's turn comes after days.
    lists = {split: read_split(corpus, int(split), evaluation) for split in splits}
    for system in systems:
        _common.check_limits(system, corpus)
    output_dir = Path(_flags.OUTPUT_DIR.value or f"runs/{name}/package-seed{_flags.SEED.value}")
    seeds = range(_flags.SEED.value, _flags.SEED.value + own.SEEDS.value)
    members = _flags.MEMBERS.value or defaults["members"]
    settings = {
        "kind": "package",
        "systems": systems,
        "splits": splits,
        "seed": seeds[0],
        "seeds": len(seeds),
        "flags": own.deciding() | {"members": members},
        "lists": {split: of_split.record for split, of_split in lists.items()},
    }
    names = list(dict.fromkeys([*systems, *(["baseline"] if own.BASELINE.value else [])]))
    tasks = _package_tasks.Tasks(output_dir, names, splits, members, seeds)
    with runs.begun(output_dir, settings, overwrite=_flags.OVERWRITE.value):
        with _executor.executor(output_dir) as executor:
            executor.run(tasks.all())
        done = {
            (name, seed): [load_run(tasks.run_dir(name, split, seed)) for split in splits]
            for name in names
            for seed in seeds
        }
        package = assemble(
            output_dir / "submission",
            card,
            [_common.handed_in(system, done[system, seeds[0]]) for system in systems],
            scenes=corpus.scenes,
            devices=corpus.devices,
            evaluation_filenames=lists[splits[0]].evaluation,
            technical_report=Path(own.TECHNICAL_REPORT.value)
            if own.TECHNICAL_REPORT.value
            else None,
            handed_in=not is_demo(corpus.root),
        )
        rows = [
            result_row(name, seed, run.settings, run.scores, run.complexity)
            for (name, seed), of_system in done.items()
            for run in of_system
        ]
        same_corpus = is_published_corpus(corpus.scenes, len(lists[splits[0]].test))
        print(write_results(output_dir, rows, list(map(int, splits)), same_corpus=same_corpus))
    print(f"\nvalidated package: {package}")


def _check(flag: str, given: Sequence[str], known: Sequence[str], most: int) -> None:
    if not set(given) <= set(known) or not 1 <= len(given) == len(set(given)) <= most:
        raise InputError(
            "unknown, repeated or too many",
            where=flag,
            expected=f"one to {most} of {', '.join(known)}",
            received=",".join(given),
        )


if __name__ == "__main__":
    cli.run(
        main,
        Flags(
            groups=_flags.groups_with(own.GROUPS),
            defaults=_flags.defaults(PUBLISHED, DEMO),
            texts=own.TEXTS,
        ),
    )
