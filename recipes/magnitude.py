"""Zeros beside a smaller network: TF-MOT's magnitude pruning and channel pruning on one split.

    python -m recipes.magnitude --split=25 --data_dir=DEVELOPMENT \\
        --teachers=TEACHERS/split_25

Trains base width 64 once; goes on from there with as many zeros as leave the parameters of S1
(constant and AGP schedule), with two of four weights set to zero, and with S1's channel pruning,
each for the same number of epochs; and shows accuracy, zeros, zipped sizes and what the rules count
side by side. For comparison only: nothing is packed.
"""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system import cli
from dcase_system.corpora import tau
from dcase_system.edge.tflite import FORMATS
from dcase_system.errors import InputError
from dcase_system.files import replacing_directory
from dcase_system.help import Flags
from dcase_system.pipeline import run_split
from dcase_system.pruning.rounds import MagnitudeRound
from dcase_system.reporting.comparison import write_comparison
from dcase_system.reporting.content import Table
from dcase_system.reporting.html import REPORT
from dcase_system.reporting.tables import as_text
from dcase_system.student.plan import StudentPlan
from recipes import _common, _flags, _systems

# Leaves 63,704 of 238,324 parameters, about as many as S1 has: TF-MOT prunes no depthwise kernel.
SPARSITY = 0.78
PUBLISHED = {"epochs": 375, "batch_size": 256, "learning_rate": 0.005}
DEMO = {"epochs": 15, "batch_size": 64, "learning_rate": 0.005}

_SPLIT = flags.DEFINE_enum(
    "split", "100", list(map(str, tau.SPLITS)), "Training list, in percent of all training clips."
)
_VARIANTS = flags.DEFINE_list(
    "variants",
    None,
    "NAME: Some of wide, zeros-agp, zeros-constant, zeros-2:4 and channels. [all]",
)
_OTHERS = Flags(
    groups=_flags.GROUPS,
    refused=(
        *_flags.OF_PACKAGES,
        *_flags.OF_TEACHERS,
        _flags.ACCUMULATION,
        _flags.DISTRIBUTION,
        _flags.QAT_EPOCHS,
    ),
    defaults=_flags.defaults(PUBLISHED, DEMO),
    texts={"epochs": "EPOCHS: Passes over the training clips, in all trainings of a variant."},
)


def main(argv: Sequence[str]) -> None:
    demo, split = _flags.DATA_DIR.value is None, int(_SPLIT.value)
    corpus, _, name = _common.folders()
    responses = _common.impulse_responses()
    settings = (
        (DEMO if demo else PUBLISHED) | _common.given_settings() | _common.given_distillation()
    )
    system, epochs = _systems.SYSTEMS["S1"], settings.pop("epochs")
    wide, (channels,) = _systems.rounds_of("S1", epochs)
    # Zeros stay zeros: to prune and to tune is one training.
    zeros = partial(MagnitudeRound, epochs=channels.epochs + channels.tuning_epochs)
    variants: dict[str, tuple[Any, ...]] = {
        "wide": (),
        "zeros-agp": (zeros(sparsity=SPARSITY, schedule="agp"),),
        "zeros-constant": (zeros(sparsity=SPARSITY, schedule="constant"),),
        "zeros-2:4": (zeros(sparsity=0.5, schedule="constant", pattern="2:4"),),
        "channels": (channels,),
    }
    chosen = _VARIANTS.value or list(variants)
    if not set(chosen) <= set(variants):
        raise InputError(
            "unknown variant",
            where="--variants",
            expected=", ".join(variants),
            received=",".join(chosen),
        )
    data = _common.read_data(corpus, split)
    run_dir = Path(_flags.OUTPUT_DIR.value or f"runs/{name}/magnitude-split{split}")
    runs = []
    for variant in chosen:
        rounds = variants[variant]
        plan = StudentPlan(
            architecture=system.demo_architecture if demo else system.architecture,
            rounds=rounds,
            epochs=wide if rounds else epochs,
            seed=_flags.SEED.value,
            **settings,
        )
        ensemble = _common.teachers(data, plan)
        folder = run_dir / variant.replace(":", "of")
        done = sorted(run_dir.glob("*/wide"))
        if rounds and done and not (folder / "wide").exists():
            # The same training: a stage is kept if all that decides it is equal.
            with replacing_directory(folder / "wide") as copy:
                shutil.copytree(done[0], copy, dirs_exist_ok=True)
        run_split(
            folder,
            plan,
            data,
            ensemble=ensemble,
            impulse_responses=responses,
            formats=_flags.TFLITE_FORMATS.value or FORMATS,
        )
        runs.append(folder)
    page = write_comparison(runs, run_dir)
    print("\n\n".join(map(as_text, page.blocks(Table))))
    print(f"\nreport: {run_dir / REPORT}")


if __name__ == "__main__":
    cli.run(main, _OTHERS)
