"""DCASE 2024 Task 1, whole: every system on all five splits, one validated zip.

    python -m recipes.challenge_package --data_dir DEVELOPMENT --evaluation_dir EVALUATION

Runs `recipes.split5` ... `recipes.split100` for each system, each in a process of its own with the
flags given here, then packs their outputs. What is done is not done again: the same command goes on
where it was interrupted. Without --data_dir the demo corpus is used (about eight minutes on two
cores).
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from dcase_system import cli
from dcase_system.corpora import tau
from dcase_system.corpora.corpus import read_evaluation_list
from dcase_system.errors import InputError
from dcase_system.pipeline import SplitRun, load_run
from dcase_system.reporting.summary import package_table
from dcase_system.submission.assemble import assemble
from dcase_system.submission.card import read_author_card
from recipes import _common

_SYSTEMS = flags.DEFINE_list(
    "systems", ["dense"], "Systems in the order of their label index, up to four."
)
_REPORT = flags.DEFINE_string("technical_report", None, "PDF that is packed with the outputs.")
# Everything but what this command sets itself goes on to the split recipes.
_PASSED_ON = (
    "data_dir",
    "evaluation_dir",
    "scenes",
    "cache_dir",
    "author_card",
    "seed",
    "epochs",
    "batch_size",
    "learning_rate",
    "validation_fraction",
    "label_weight",
    "temperature",
    "impulse_responses",
    "impulse_response_probability",
)
flags.adopt_module_key_flags(_common)  # `--help` shows them too


def main(argv: Sequence[str]) -> None:
    unknown = [system for system in _SYSTEMS.value if system not in _common.SYSTEMS]
    if unknown or len(_SYSTEMS.value) not in range(1, 5):
        raise InputError(
            "unknown system or wrong number of them",
            where="--systems",
            expected=f"one to four of {', '.join(_common.SYSTEMS)}",
            received=",".join(_SYSTEMS.value),
        )
    card = read_author_card(_common.AUTHOR_CARD.value)
    corpus, evaluation, name = _common.folders()
    if evaluation is None:
        raise InputError(
            "no evaluation clips to predict",
            where="--evaluation_dir",
            expected="a folder with evaluation_setup/fold1_test.csv",
        )
    listed = read_evaluation_list(evaluation)
    output_dir = Path(_common.OUTPUT_DIR.value or f"runs/{name}/package-seed{_common.SEED.value}")
    runs = {
        system: [_run_split(output_dir, system, split) for split in tau.SPLITS]
        for system in _SYSTEMS.value
    }
    package = assemble(
        output_dir / "submission",
        card,
        [_common.handed_in(system, done) for system, done in runs.items()],
        scenes=corpus.scenes,
        devices=corpus.devices,
        evaluation_filenames=listed,
        technical_report=Path(_REPORT.value) if _REPORT.value else None,
    )
    print(
        package_table(
            {system: {run.split: run.scores for run in done} for system, done in runs.items()}
        )
    )
    print(f"\nvalidated package: {package}")


def _run_split(output_dir: Path, system: str, split: int) -> SplitRun:
    """Runs one split recipe to its end, or finds that it has ended."""
    run_dir = output_dir / system / f"split_{split}"
    command = [
        sys.executable,
        "-m",
        f"recipes.split{split}",
        f"--system={system}",
        f"--output_dir={run_dir}",
    ]
    if _common.TEACHERS.value:
        command.append(f"--teachers={Path(_common.TEACHERS.value) / f'split_{split}'}")
    for flag in _PASSED_ON:
        value = flags.FLAGS[flag].value
        if value is not None:
            command.append(f"--{flag}={','.join(value) if isinstance(value, list) else value}")
    status = subprocess.run(command).returncode
    if status == cli.INTERRUPTED:
        raise KeyboardInterrupt
    if status != 0:
        raise InputError(
            "recipe failed; its message stands above",
            where=" ".join(command[2:]),
            received=f"exit status {status}",
        )
    return load_run(run_dir)


if __name__ == "__main__":
    cli.run(main)
