"""Implements `recipes.sounds`."""

from pathlib import Path
from typing import Any

from absl import flags

from dcase_system.audio.clips import Data, decoded
from dcase_system.challenge.run import run_split
from dcase_system.challenge.student.plan import QATPlan, StudentPlan
from dcase_system.challenge.systems import MASK_FRAMES, PruningOptions, planned
from dcase_system.challenge.teachers import teacher_plans
from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import read_corpus, read_tagged_corpus, split_name
from dcase_system.corpora.lists import Lists, read_lists
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.distillation.teachers import train_teachers
from dcase_system.edge import microcontroller_report
from dcase_system.reporting.html import REPORT
from dcase_system.reporting.summary import run_summary
from dcase_system.sounds.prepare import VALIDATION_LIST
from dcase_system.sounds.scores import in_words, score_recordings
from dcase_system.sounds.targets import TARGETS, Target
from dcase_system.training.batches import epochs_of
from dcase_system.training.rejection import UNKNOWN_NAMES, Rejection
from recipes import _common
from recipes._flags import given

FLAGS = flags.FLAGS
_SPLIT = 100
_STEPS, _FAST_STEPS = 2_000, 600
_TEACHERS = ("cp_mobile_teacher", "cp_mobile_teacher")


def run() -> None:
    """Prepares the recordings, trains, exports, scores, and says what the network fits."""
    source = Path(FLAGS.data_dir) if FLAGS.data_dir else _common.demo_recordings()
    target = TARGETS[FLAGS.target]
    way = "fast" if FLAGS.fast else "pruned"
    own = FLAGS.output_dir
    run_dir = Path(own or f"runs/{source.stem}/sounds-{FLAGS.target}-{way}-seed{FLAGS.seed}")
    corpus = Path(f"{run_dir}-corpus")
    summary = _common.prepared(
        corpus,
        source,
        FLAGS.group_pattern,
        "recording",
        window_seconds=FLAGS.seconds,
        hop_seconds=FLAGS.hop_seconds or FLAGS.seconds,
        test_fraction=FLAGS.test_fraction,
        seed=FLAGS.seed,
        validation_fraction=FLAGS.test_fraction if FLAGS.false_rejections else 0.0,
    )
    lists = _lists(corpus, bool(summary["several_labels"]))
    rejection = _rejection(lists)
    plan = _plan(target, len(lists.train))
    _common.announce(run_dir, plan, lists)
    data = decoded(lists, _SPLIT, _common.stores(), seconds=FLAGS.seconds)
    ensemble = None
    if not FLAGS.fast:
        ensemble = _ensemble(Path(f"{run_dir}-teachers"), lists, data, plan.epochs)
    run_split(
        run_dir,
        plan,
        data,
        ensemble=ensemble,
        formats=FLAGS.tflite_formats,
        qat=QATPlan(epochs=FLAGS.qat_epochs) if FLAGS.qat_epochs else None,
        rejection=rejection,
        overwrite=FLAGS.overwrite,
    )
    print(run_summary(run_dir))
    print(f"\n{in_words(score_recordings(run_dir, corpus))}")
    int8 = run_dir / "edge" / "student_int8.tflite"
    if int8.is_file():
        fits = microcontroller_report.report(int8, run_dir / "microcontroller")
        print(f"\n{microcontroller_report.as_text(fits)}")
    print(f"\nreport: {run_dir / REPORT}")


def _lists(corpus: Path, several_labels: bool) -> Lists:
    read = read_tagged_corpus(corpus) if several_labels else read_corpus(corpus)
    held_out = VALIDATION_LIST if FLAGS.false_rejections else None
    return read_lists(read, train=split_name(_SPLIT), validation=held_out)


def _rejection(lists: Lists) -> Rejection | None:
    """Returns how unknown sounds are treated, by the flags and the names of the classes."""
    names, rate = lists.corpus.scenes, FLAGS.false_rejections
    if lists.corpus.several_labels:
        if rate or FLAGS.unknown_class:
            raise InputError(
                "several labels a recording leave no class and no threshold for unknown sounds",
                where="--false_rejections or --unknown_class",
                expected="neither: each label has a probability of its own",
            )
        return None
    if FLAGS.unknown_class and FLAGS.unknown_class not in names:
        raise InputError(
            "no such class",
            where="--unknown_class",
            expected=", ".join(names),
            received=FLAGS.unknown_class,
        )
    wanted = [FLAGS.unknown_class] if FLAGS.unknown_class else UNKNOWN_NAMES
    classes = tuple(name for name in names if name in wanted or name.lower() in wanted)
    if len(classes) == len(names):
        raise InputError(
            "all classes stand for unknown sounds", where=lists.corpus.root, expected="another"
        )
    return Rejection(classes, rate) if classes or rate else None


def _plan(target: Target, clips: int) -> StudentPlan:
    wanted = _FAST_STEPS if FLAGS.fast else _STEPS
    epochs = FLAGS.epochs or epochs_of(wanted, clips, FLAGS.batch_size)
    settings: dict[str, Any] = {"mask_frames": MASK_FRAMES}
    settings |= given("batch_size", "learning_rate", "seed", "balanced")
    if FLAGS.fast:
        return StudentPlan(architecture=target.architecture, epochs=epochs, **settings)
    # The budget is for windows of one second; longer ones cost more on any network.
    options = PruningOptions(
        max_macs=round(target.max_macs * FLAGS.seconds), max_bytes=target.max_bytes
    )
    return planned("S1", epochs, options, demo=FLAGS.data_dir is None).student(**settings)


def _ensemble(folder: Path, lists: Lists, data: Data, epochs: int) -> Ensemble:
    """Trains the teachers, unless they are there."""
    settings = given("batch_size") | {"epochs": epochs}
    plans = teacher_plans(_TEACHERS, (), seed=FLAGS.seed, given=settings)
    train_teachers(folder, plans, data, None)
    return _common.ensemble(lists, _SPLIT, folder)
