"""Implements `recipes.audioset_supernet`."""

from functools import partial
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system import runs
from dcase_system.audio.clips import TaggedData, load_audioset, load_mixtures
from dcase_system.audio.specs import PannsMelSpec
from dcase_system.core.locations import as_location
from dcase_system.corpora.audioset import PAPER_VALIDATION_CLIPS, read_audioset
from dcase_system.corpora.lists import read_split
from dcase_system.corpora.mixtures import MIXED_SPLIT
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.parallel import workers
from dcase_system.reporting.supernet import summary
from dcase_system.supernet.experiment import help_search, run_experiment
from dcase_system.supernet.plan import ExperimentPlan, settings_of
from dcase_system.supernet.plans import SupernetPlan
from recipes import _common, _executor

FLAGS = flags.FLAGS
PAPER_SECONDS = 10.0


def run() -> None:
    """Trains the supernets, searches them, and fine-tunes and compares the networks found."""
    workers.start(FLAGS.distribution)
    plan = settings()
    name = as_location(FLAGS.data_dir or "demo").name
    run_dir = Path(FLAGS.output_dir or f"runs/{name}/supernet-seed{plan.seed}")
    data = _audioset(run_dir, plan) if _is_audioset() else _mixtures(run_dir, plan)
    if FLAGS.join:
        help_search(run_dir, plan, data)
        return
    together = partial(_executor.search_together, run_dir, "--distribution=one_device")
    run_experiment(run_dir, plan, data, together, overwrite=FLAGS.overwrite)
    print(summary(run_dir))
    print(f"\nrun directory: {run_dir}")


def settings() -> ExperimentPlan:
    """Builds the plan from the flags."""
    heard_seconds, corpus = FLAGS.seconds, "AudioSet"
    if not _is_audioset():
        heard_seconds = FLAGS.mixture_seconds or FLAGS.seconds
        mixed = as_location(FLAGS.data_dir).resolve().name if FLAGS.data_dir else "the demo corpus"
        corpus = f"mixtures of {mixed}"
    widths = [round(FLAGS.width * channels) for channels in (64, 128, 256, 512)]
    common: dict[str, Any] = {
        "batch_size": FLAGS.batch_size,
        "learning_rate": FLAGS.learning_rate,
        "schedule": FLAGS.schedule,
        "mask_frames": max(1, round(SupernetPlan.mask_frames * heard_seconds / PAPER_SECONDS)),
    }
    shorter, longer = map(int, FLAGS.tuning_steps)
    return ExperimentPlan(
        corpus=corpus,
        base=CNN10Spec(blocks=tuple((c, c) for c in widths), embedding=widths[-1]),
        front_end=PannsMelSpec(),
        teacher=SupernetPlan(steps=FLAGS.teacher_steps, mixup=True, **common),
        supernet=SupernetPlan(
            steps=FLAGS.largest_steps + FLAGS.samples_steps,
            largest_steps=FLAGS.largest_steps,
            sampling=FLAGS.sampling,
            in_place=FLAGS.in_place,
            accumulation=FLAGS.accumulation,
            **common,
        ),
        alone=SupernetPlan(steps=FLAGS.alone_steps, **common),
        tuning_steps=(shorter, longer),
        patterns=tuple(FLAGS.patterns.split(";")),
        width_per=FLAGS.width_per,
        budgets=tuple(1e6 * float(one) for one in FLAGS.budgets) if FLAGS.budgets else None,
        tolerance=None if FLAGS.tolerance is None else 1e6 * FLAGS.tolerance,
        num_trials=FLAGS.draws,
        nsga2=FLAGS.evolution,
        ranked=FLAGS.ranked,
        calibration_clips=2_000 if _is_audioset() else 256,
        formats=tuple(FLAGS.tflite_formats),
        storage=_executor.storage(),
        seed=FLAGS.seed,
    )


def _is_audioset() -> bool:
    return FLAGS.data_dir is not None and FLAGS.corpus == "audioset"  # the demo uses mixtures


def _audioset(run_dir: Path, plan: ExperimentPlan) -> TaggedData:
    """Loads AudioSet, after checking that the run directory accepts the plan."""
    runs.check(run_dir, settings_of(plan, {}), overwrite=FLAGS.overwrite)
    return load_audioset(
        read_audioset(FLAGS.data_dir),
        _common.stores(),
        validation=PAPER_VALIDATION_CLIPS,
        seconds=FLAGS.seconds,
        seed=plan.seed,
    )


def _mixtures(run_dir: Path, plan: ExperimentPlan) -> TaggedData:
    """Loads mixtures of scene clips, after checking that the run directory accepts the plan."""
    corpus, _, _ = _common.scenes()
    train, validation, test = map(int, FLAGS.mixtures)
    lists = read_split(corpus, MIXED_SPLIT)
    runs.check(run_dir, settings_of(plan, lists.record), overwrite=FLAGS.overwrite)
    return load_mixtures(
        lists,
        _common.stores(),
        train=train,
        validation=validation,
        test=test,
        seconds=FLAGS.seconds,
        mixture_seconds=FLAGS.mixture_seconds,
    )
