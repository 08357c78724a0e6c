"""Implements `recipes.three_ways`."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from absl import flags

from dcase_system import runs
from dcase_system.audio.clips import decoded
from dcase_system.challenge.student.plan import StudentPlan
from dcase_system.core.errors import InputError
from dcase_system.corpora.lists import read_split
from dcase_system.distillation.alpha_divergence import AlphaDivergence
from dcase_system.parallel import workers
from dcase_system.reporting.html import REPORT
from dcase_system.reporting.three_ways import three_ways_summary
from dcase_system.supernet.plans import SamplingPlan
from dcase_system.three_ways.experiment import RESULTS, run_three_ways
from dcase_system.three_ways.plan import ThreeWaysPlan, plan_in_words, settings_of
from recipes import _common
from recipes._flags import LOG

FLAGS = flags.FLAGS
_Number = TypeVar("_Number", int, float)


def run() -> None:
    """Makes all networks, and prints their accuracy and the processor hours."""
    workers.start("one_device")
    split, plan = int(FLAGS.split), _plan()
    corpus, _, name = _common.scenes()
    responses, lists = _common.impulse_responses(), read_split(corpus, split)
    ensemble = _common.ensemble(lists, split, Path(FLAGS.teachers)) if FLAGS.teachers else None
    run_dir = Path(FLAGS.output_dir or f"runs/{name}/three-ways-split{split}")
    settings = settings_of(plan, split, lists.record, ensemble, responses)
    runs.check(run_dir, settings, overwrite=FLAGS.overwrite)
    if FLAGS.overwrite or not (run_dir / RESULTS).exists():
        LOG.info("%s", plan_in_words(plan, _common.trained_clips(lists, FLAGS.validation_fraction)))
    data = decoded(lists, split, _common.stores(), seconds=FLAGS.seconds)
    run_three_ways(
        run_dir,
        plan,
        data,
        ensemble=ensemble,
        impulse_responses=responses,
        overwrite=FLAGS.overwrite,
    )
    print(three_ways_summary(run_dir))
    print(f"\nreport: {run_dir / REPORT}")


def _plan() -> ThreeWaysPlan:
    in_place = FLAGS.in_place and FLAGS.sampling == "sandwich"
    sampling = SamplingPlan(
        samples=FLAGS.samples,
        sampling=FLAGS.sampling,
        in_place=in_place,
        divergence=AlphaDivergence() if in_place and FLAGS.divergence else None,
    )
    architecture = f"sscp_mobile_{FLAGS.base_channels}"
    return ThreeWaysPlan(
        student=StudentPlan(
            architecture=architecture,
            epochs=FLAGS.epochs,
            **_common.student_settings(architecture),
        ),
        base_channels=FLAGS.base_channels,
        budgets=tuple(round(1e6 * macs) for macs in _numbers("budgets", float)),
        seeds=_numbers("seeds", int),
        sampling=sampling,
        sorted_channels=FLAGS.sorted_channels,
        supernet_epochs=FLAGS.supernet_epochs or max(1, round(0.4 * FLAGS.epochs)),
        tuning_epochs=FLAGS.tuning_epochs or max(1, round(0.2 * FLAGS.epochs)),
        num_trials=FLAGS.trials,
        candidates=FLAGS.candidates,
        candidate_epochs=FLAGS.candidate_epochs or max(1, round(0.1 * FLAGS.epochs)),
        ranked=FLAGS.ranked,
        formats=tuple(FLAGS.tflite_formats),
    )


def _numbers(flag: str, kind: Callable[[str], _Number]) -> tuple[_Number, ...]:
    texts = FLAGS[flag].value
    try:
        return tuple(kind(text) for text in texts)
    except ValueError as error:
        raise InputError(
            "numbers are wrong", where=f"--{flag}", expected="numbers", received=", ".join(texts)
        ) from error
