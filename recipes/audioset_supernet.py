"""A once-for-all supernet (OFA-AEC, Lin et al.): train once, search each budget, tune, compare.

    python -m recipes.audioset_supernet                      # demo mixtures
    python -m recipes.audioset_supernet --data_dir=AUDIOSET  # the paper's scale
    python -m recipes.audioset_supernet --data_dir=TAU \\
        --corpus=mixtures                                    # a CPU's scale

Several processes search with `--parallel_tasks=4`, or on the nodes of a cluster with
`--executor=ray`; those elsewhere that see the run directory join in with `--join` and the same
`--storage`, once the supernet is trained. The paper's scale was not tried. Mixtures are of the
clips of a folder in the TAU 2022 layout.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dcase_system import cli
from dcase_system.audio.panns_mel import PannsMelSpec
from dcase_system.corpora.audioset import PAPER_VALIDATION_CLIPS, read_audioset
from dcase_system.data import TaggedData, load_audioset, load_mixtures
from dcase_system.help import Flags
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.places import place
from dcase_system.reporting.supernet import summary
from dcase_system.supernet.experiment import help_search, run_experiment
from dcase_system.supernet.plan import ExperimentPlan
from dcase_system.supernet.step import SupernetPlan
from recipes import _common, _executor, _flags
from recipes import _supernet_flags as own

PAPER_SECONDS, PAPER_MASK_FRAMES = 10.0, 64
# 400K steps of the teacher; 100K of the largest and 200K of samples; tuning of 10K and 100K, at 346
# steps of 64 clips an epoch. Of the networks trained alone the paper gives no steps.
AUDIOSET: dict[str, Any] = {
    "teacher_epochs": 1_156,
    "largest_epochs": 289,
    "samples_epochs": 578,
    "alone_epochs": 867,
    "tuning_epochs": (29, 289),
    "seconds": PAPER_SECONDS,
    "width": 1.0,
    "draws": 25,
    "batch_size": 64,
    "accumulation": 1,
    "learning_rate": 1e-3,
}
MIXTURES = AUDIOSET | {
    "teacher_epochs": 30,
    "largest_epochs": 8,
    "samples_epochs": 16,
    "alone_epochs": 24,
    "tuning_epochs": (2, 8),
    "seconds": 1.0,
    "width": 0.5,
    "batch_size": 32,
    "mixtures": (3_000, 1_000, 1_500),
}
DEMO = MIXTURES | {
    "teacher_epochs": 2,
    "largest_epochs": 1,
    "samples_epochs": 1,
    "alone_epochs": 1,
    "tuning_epochs": (1, 2),
    "width": 0.125,
    "draws": 3,
    "mixtures": (256, 128, 128),
}


def main(_: Sequence[str]) -> None:
    _common.join_team()
    plan, data = settings()
    name = place(_flags.DATA_DIR.value or "demo").name
    run_dir = Path(_flags.OUTPUT_DIR.value or f"runs/{name}/supernet-seed{plan.seed}")
    if _executor.JOIN.value:
        help_search(run_dir, plan, data)
        return
    others = ("--distribution=one_device",)
    run_experiment(run_dir, plan, data, lambda: _executor.search_together(run_dir, *others))
    print(summary(run_dir))
    print(f"\nrun directory: {run_dir}")


def settings() -> tuple[ExperimentPlan, TaggedData]:
    """The plan and the clips, as the flags say."""
    paper = _flags.DATA_DIR.value is not None and own.CORPUS.value == "audioset"
    scale = DEMO if _flags.DATA_DIR.value is None else AUDIOSET if paper else MIXTURES
    values = scale | _common.given_settings() | _flags.given(own.OF_SCALE)
    seconds, width = values["seconds"], values["width"]
    heard_seconds = seconds if paper else own.MIXTURE_SECONDS.value or seconds
    widths = [round(width * channels) for channels in (64, 128, 256, 512)]
    common: dict[str, Any] = {
        "batch_size": values["batch_size"],
        "learning_rate": values["learning_rate"],
        "schedule": own.SCHEDULE.value,
        "mask_frames": max(1, round(PAPER_MASK_FRAMES * heard_seconds / PAPER_SECONDS)),
    }
    tuning = own.integers(own.TUNING_EPOCHS, 2) or values["tuning_epochs"]
    plan = ExperimentPlan(
        base=CNN10Spec(blocks=tuple((c, c) for c in widths), embedding=widths[-1]),
        front_end=PannsMelSpec(),
        teacher=SupernetPlan(epochs=values["teacher_epochs"], mixup=True, **common),
        supernet=SupernetPlan(
            epochs=values["largest_epochs"] + values["samples_epochs"],
            largest_epochs=values["largest_epochs"],
            sampling=own.SAMPLING.value,
            in_place=own.IN_PLACE.value,
            accumulation=values["accumulation"],
            **common,
        ),
        alone=SupernetPlan(epochs=values["alone_epochs"], **common),
        tuning_epochs=(tuning[0], tuning[1]),
        patterns=tuple(own.PATTERNS.value.split(";")),
        draws=values["draws"],
        ranked=own.RANKED.value,
        calibration_clips=2_000 if paper else 256,
        storage=_executor.storage(),
        seed=_flags.SEED.value,
    )
    stores = Path(_flags.CACHE_DIR.value) / "stores"
    if paper:
        audioset = read_audioset(_flags.DATA_DIR.value)
        return plan, load_audioset(
            audioset, stores, validation=PAPER_VALIDATION_CLIPS, seconds=seconds, seed=plan.seed
        )
    corpus, _, _ = _common.folders()
    counts = own.integers(own.MIXTURES, 3) or values["mixtures"]
    sizes = dict(zip(("train", "validation", "test"), counts, strict=True))
    lengths = {"seconds": seconds, "mixture_seconds": heard_seconds}
    return plan, load_mixtures(corpus, stores, **sizes, **lengths)


if __name__ == "__main__":
    cli.run(
        main,
        Flags(
            groups=_flags.groups_with(own.GROUPS),
            refused=(
                *(_flags.EPOCHS, _flags.VALIDATION_FRACTION),
                *_flags.OF_PACKAGES,
                *_flags.OF_CLASSIFIERS,
            ),
            defaults={"": AUDIOSET, "with --corpus=mixtures": MIXTURES, _flags.DEMO: DEMO},
            texts=own.TEXTS,
        ),
    )
