"""A once-for-all supernet (OFA-AEC, Lin et al.): train once, search each budget, compare, export.

    python -m recipes.audioset_supernet                      # demo mixtures
    python -m recipes.audioset_supernet --data_dir=AUDIOSET  # the paper's scale
    python -m recipes.audioset_supernet --data_dir=TAU \\
        --corpus=mixtures                                    # a CPU's scale

The chosen networks leave `.tflite` files in `edge_<budget>/`, scored on the test clips. Trainings
are given in steps; each ends with a whole pass over the clips. Several processes search with
`--parallel_tasks=4`, or on the nodes of a cluster with `--executor=ray`; those elsewhere that see
the run directory join in with `--join` and the same `--storage`, once the supernets are trained.
The paper's scale was not tried. Mixtures are of the clips of a folder in the TAU 2022 layout.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dcase_system import cli
from dcase_system.audio.panns_mel import PannsMelSpec
from dcase_system.help import Flags
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.places import place
from dcase_system.reporting.supernet import summary
from dcase_system.supernet.experiment import help_search, run_experiment
from dcase_system.supernet.plan import ExperimentPlan
from dcase_system.supernet.step import SupernetPlan
from recipes import _common, _executor, _flags, _supernet_clips
from recipes import _supernet_flags as own

PAPER = ExperimentPlan(corpus="AudioSet")
PAPER_SECONDS = 10.0
# The paper gives steps; passes over the clips follow from how many a copy of AudioSet has.
AUDIOSET: dict[str, Any] = {
    "teacher_steps": PAPER.teacher.steps,
    "largest_steps": PAPER.supernet.largest_steps,
    "samples_steps": PAPER.supernet.steps - PAPER.supernet.largest_steps,
    "alone_steps": PAPER.alone.steps,
    "tuning_steps": PAPER.tuning_steps,
    "seconds": PAPER_SECONDS,
    "width": 1.0,
    "patterns": ";".join(PAPER.patterns),
    "draws": PAPER.draws,
    "batch_size": PAPER.supernet.batch_size,
    "accumulation": PAPER.supernet.accumulation,
    "learning_rate": PAPER.supernet.learning_rate,
    "tflite_formats": PAPER.formats,
}
# Steps in the paper's proportions.
MIXTURES = AUDIOSET | {
    "teacher_steps": 3_000,
    "largest_steps": 750,
    "samples_steps": 1_500,
    "alone_steps": 750,
    "tuning_steps": (75, 750),
    "seconds": 1.0,
    "width": 0.5,
    "batch_size": 32,
    "mixtures": (3_000, 1_000, 1_500),
}
DEMO = MIXTURES | {
    "teacher_steps": 16,
    "largest_steps": 8,
    "samples_steps": 8,
    "alone_steps": 16,
    "tuning_steps": (8, 16),
    "width": 0.125,
    "patterns": "2,2,X;none",
    "draws": 3,
    "mixtures": (256, 128, 128),
    "tflite_formats": ("float16",),
}


def main(_: Sequence[str]) -> None:
    _common.join_team()
    of_audioset = _flags.DATA_DIR.value is not None and own.CORPUS.value == "audioset"
    scale = DEMO if _flags.DATA_DIR.value is None else AUDIOSET if of_audioset else MIXTURES
    values = scale | _common.given_settings()
    values |= _flags.given((*own.OF_SCALE, _flags.TFLITE_FORMATS))
    plan = settings(values, of_audioset)
    name = place(_flags.DATA_DIR.value or "demo").name
    run_dir = Path(_flags.OUTPUT_DIR.value or f"runs/{name}/supernet-seed{plan.seed}")
    clips = _supernet_clips.audioset if of_audioset else _supernet_clips.mixtures
    data = clips(run_dir, plan, values)
    if _executor.JOIN.value:
        help_search(run_dir, plan, data)
        return
    together = partial(_executor.search_together, run_dir, "--distribution=one_device")
    run_experiment(run_dir, plan, data, together, overwrite=_flags.OVERWRITE.value)
    print(summary(run_dir))
    print(f"\nrun directory: {run_dir}")


def settings(values: dict[str, Any], of_audioset: bool) -> ExperimentPlan:
    """The plan, as the flags say."""
    seconds, width = values["seconds"], values["width"]
    heard_seconds = seconds if of_audioset else own.MIXTURE_SECONDS.value or seconds
    widths = [round(width * channels) for channels in (64, 128, 256, 512)]
    common: dict[str, Any] = {
        "batch_size": values["batch_size"],
        "learning_rate": values["learning_rate"],
        "schedule": own.SCHEDULE.value,
        "mask_frames": max(1, round(PAPER.supernet.mask_frames * heard_seconds / PAPER_SECONDS)),
    }
    tuning = own.integers(own.TUNING_STEPS, 2) or values["tuning_steps"]
    return ExperimentPlan(
        corpus=PAPER.corpus if of_audioset else f"mixtures of {_supernet_clips.corpus_name()}",
        base=CNN10Spec(blocks=tuple((c, c) for c in widths), embedding=widths[-1]),
        front_end=PannsMelSpec(),
        teacher=SupernetPlan(steps=values["teacher_steps"], mixup=True, **common),
        supernet=SupernetPlan(
            steps=values["largest_steps"] + values["samples_steps"],
            largest_steps=values["largest_steps"],
            sampling=own.SAMPLING.value,
            in_place=own.IN_PLACE.value,
            accumulation=values["accumulation"],
            **common,
        ),
        alone=SupernetPlan(steps=values["alone_steps"], **common),
        tuning_steps=(tuning[0], tuning[1]),
        patterns=tuple(values["patterns"].split(";")),
        width_per=own.WIDTH_PER.value,
        budgets=own.budgets(),
        tolerance=own.tolerance(),
        draws=values["draws"],
        evolution=own.EVOLUTION.value,
        ranked=own.RANKED.value,
        calibration_clips=2_000 if of_audioset else 256,
        formats=tuple(values["tflite_formats"]),
        storage=_executor.storage(),
        seed=_flags.SEED.value,
    )


if __name__ == "__main__":
    cli.run(
        main,
        Flags(
            groups=_flags.groups_with(own.GROUPS),
            refused=(
                *(_flags.EPOCHS, _flags.VALIDATION_FRACTION),
                *_flags.OF_PACKAGES,
                *(one for one in _flags.OF_CLASSIFIERS if one is not _flags.TFLITE_FORMATS),
            ),
            defaults={"": AUDIOSET, "with --corpus=mixtures": MIXTURES, _flags.DEMO: DEMO},
            texts=own.TEXTS,
        ),
    )
