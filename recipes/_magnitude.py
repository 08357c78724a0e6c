"""Implements `recipes.magnitude`: magnitude pruning beside channel pruning on one split."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system import runs
from dcase_system.audio.clips import decoded
from dcase_system.challenge.run import run_split, settings_of
from dcase_system.challenge.student.plan import StudentPlan
from dcase_system.challenge.systems import SYSTEMS, planned
from dcase_system.core.files import replacing_directory
from dcase_system.corpora.lists import read_split
from dcase_system.pruning.rounds import MagnitudeRound, Round
from dcase_system.reporting.comparison import write_comparison
from dcase_system.reporting.content import Table
from dcase_system.reporting.html import REPORT
from dcase_system.reporting.tables import as_text
from recipes import _common

FLAGS = flags.FLAGS


def run() -> None:
    """Trains the variants and writes their comparison."""
    split = int(FLAGS.split)
    corpus, _, name = _common.scenes()
    lists, overwrite = read_split(corpus, split), FLAGS.overwrite
    epochs = _common.total_epochs(lists)
    responses = _common.impulse_responses()
    channels = planned("S1", epochs, _common.pruning_options(), demo=FLAGS.data_dir is None)
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
    plans = {
        variant: replace(
            channels,
            rounds=variants[variant],
            epochs=channels.epochs if variants[variant] else epochs,
        ).student(**_common.student_settings(channels.architecture))
        for variant in FLAGS.variants or variants
    }
    run_dir = Path(FLAGS.output_dir or f"runs/{name}/magnitude-split{split}")
    ensemble = _common.ensemble(lists, split, Path(FLAGS.teachers)) if FLAGS.teachers else None
    formats = FLAGS.tflite_formats

    def of_variants(clips: Mapping[str, Any]) -> dict[str, Any]:
        return {
            variant: settings_of(plan, split, clips, ensemble, responses, formats=formats)
            for variant, plan in plans.items()
        }

    of_run = {"kind": "magnitude", "variants": of_variants(lists.record)}
    runs.check(run_dir, of_run, overwrite=overwrite)
    data = decoded(lists, split, _common.stores(), seconds=FLAGS.seconds)
    folders = {variant: run_dir / variant.replace(":", "of") for variant in plans}
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
    """Copies a finished `wide` stage of another variant; it is kept if all its inputs are equal."""
    done = sorted(run_dir.glob("*/wide"))
    if plan.rounds and done and not (folder / "wide").exists():
        with replacing_directory(folder / "wide") as copy:
            shutil.copytree(done[0], copy, dirs_exist_ok=True)
