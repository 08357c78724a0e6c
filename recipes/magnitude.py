"""Zeros beside a smaller network: TF-MOT's magnitude pruning and channel pruning on one split.

    python -m recipes.magnitude --split=25 --data_dir=DEVELOPMENT \\
        --teachers=TEACHERS/split_25

Trains base width 64 once; goes on from there with as many zeros as leave the parameters of S1 (AGP,
linear and one-shot), with two of four weights set to zero, and with S1's channel pruning, each with
the same epochs of pruning and of tuning by distillation; and shows accuracy, zeros, zipped sizes
and what the rules count side by side. One variant alone: `recipes.split25 --system=magnitude`.
"""

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system import cli, runs
from dcase_system.challenge.systems import MASK_FRAMES, SYSTEMS, planned
from dcase_system.corpora import tau
from dcase_system.corpora.lists import read_split
from dcase_system.data import decoded
from dcase_system.edge.tflite import FORMATS
from dcase_system.errors import InputError
from dcase_system.files import replacing_directory
from dcase_system.help import Flags
from dcase_system.pipeline import run_split, settings_of
from dcase_system.pruning.rounds import MagnitudeRound, Round
from dcase_system.reporting.comparison import write_comparison
from dcase_system.reporting.content import Table
from dcase_system.reporting.html import REPORT
from dcase_system.reporting.tables import as_text
from dcase_system.student.plan import StudentPlan
from recipes import _common, _flags

PUBLISHED = {"epochs": 375, "batch_size": 256, "learning_rate": 0.005}
DEMO = {"epochs": 15, "batch_size": 64, "learning_rate": 0.005}

_SPLIT = flags.DEFINE_enum(
    "split", "100", list(map(str, tau.SPLITS)), "Training list, in percent of all training clips."
)
_VARIANTS = flags.DEFINE_list(
    "variants",
    None,
    "NAME: Some of wide, zeros-agp, zeros-linear, zeros-constant, zeros-2:4 and channels. [all]",
)
_OTHERS = Flags(
    groups=_flags.GROUPS,
    refused=(
        *_flags.OF_PACKAGES,
        *_flags.OF_TEACHERS,
        _flags.ACCUMULATION,
        _flags.DISTRIBUTION,
        _flags.QAT_EPOCHS,
        _flags.BASE_CHANNELS,
        _flags.PRUNING_SCHEDULE,
        _flags.DISTILL,
        _flags.TEACHER_EPOCHS,
    ),
    defaults=_flags.defaults(PUBLISHED, DEMO),
    texts={"epochs": "EPOCHS: Passes over the training clips, in all trainings of a variant."},
)


def main(argv: Sequence[str]) -> None:
    demo, split = _flags.DATA_DIR.value is None, int(_SPLIT.value)
    corpus, _, name = _common.folders()
    responses = _common.impulse_responses()
    settings = _common.student_settings(DEMO if demo else PUBLISHED, MASK_FRAMES)
    epochs = settings.pop("epochs")
    channels = planned("S1", epochs, _common.pruning_options(), demo=demo)
    (pruning,), ((sparsity, _),) = channels.rounds, SYSTEMS["magnitude"].rounds
    zeros = partial(MagnitudeRound, epochs=pruning.epochs, tuning_epochs=pruning.tuning_epochs)
    variants: dict[str, tuple[Round, ...]] = {
        "wide": (),
        "zeros-agp": (zeros(sparsity=sparsity, schedule="agp"),),
        "zeros-linear": (zeros(sparsity=sparsity, schedule="linear"),),
        "zeros-constant": (zeros(sparsity=sparsity, schedule="constant"),),
        "zeros-2:4": (zeros(sparsity=0.5, schedule="constant", pattern="2:4"),),
        "channels": (pruning,),
    }
    chosen = _VARIANTS.value or list(variants)
    if not set(chosen) <= set(variants):
        raise InputError(
            "unknown variant",
            where="--variants",
            expected=", ".join(variants),
            received=",".join(chosen),
        )
    plans = {
        variant: StudentPlan(
            architecture=channels.architecture,
            rounds=variants[variant],
            epochs=channels.epochs if variants[variant] else epochs,
            seed=_flags.SEED.value,
            **settings,
        )
        for variant in chosen
    }
    run_dir = Path(_flags.OUTPUT_DIR.value or f"runs/{name}/magnitude-split{split}")
    lists, overwrite = read_split(corpus, split), _flags.OVERWRITE.value
    first, named = next(iter(plans.values())), _flags.TEACHERS.value
    ensemble = _common.teachers(lists, split, first, Path(named)) if named else None
    formats = _flags.TFLITE_FORMATS.value or FORMATS

    def of_variants(clips: Mapping[str, Any]) -> dict[str, Any]:
        return {
            variant: settings_of(plan, split, clips, ensemble, responses, formats=formats)
            for variant, plan in plans.items()
        }

    of_run = {"kind": "magnitude", "variants": of_variants(lists.record)}
    runs.check(run_dir, of_run, overwrite=overwrite)
    data = decoded(lists, split, _common.stores(), seconds=_common.clip_seconds())
    folders = {variant: run_dir / variant.replace(":", "of") for variant in chosen}
    with runs.begun(run_dir, of_run, overwrite=overwrite):
        for variant, settings in of_variants(data.record).items():
            with runs.begun(folders[variant], settings):
                _share_first_stage(run_dir, folders[variant], plans[variant])
            run_split(
                folders[variant],
                plans[variant],
                data,
                ensemble=ensemble,
                impulse_responses=responses,
                formats=formats,
            )
        page = write_comparison(list(folders.values()), run_dir)
    print("\n\n".join(map(as_text, page.blocks(Table))))
    print(f"\nreport: {run_dir / REPORT}")


def _share_first_stage(run_dir: Path, folder: Path, plan: StudentPlan) -> None:
    """Copies what is the same training: a stage is kept if all that decides it is equal."""
    done = sorted(run_dir.glob("*/wide"))
    if plan.rounds and done and not (folder / "wide").exists():
        with replacing_directory(folder / "wide") as copy:
            shutil.copytree(done[0], copy, dirs_exist_ok=True)


if __name__ == "__main__":
    cli.run(main, _OTHERS)
