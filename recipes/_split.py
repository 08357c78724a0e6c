"""Implements the split recipes: one system on one split, and its package."""

import textwrap
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system import runs
from dcase_system.audio.clips import Data, decoded
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.challenge.finished import SplitRun
from dcase_system.challenge.run import run_split, settings_of
from dcase_system.challenge.student.plan import DevicePlan, QATPlan, StudentPlan
from dcase_system.challenge.systems import (
    DEMO_PRUNED_EPOCHS_FACTOR,
    PRUNED_EPOCHS_FACTOR,
    SYSTEMS,
    planned,
)
from dcase_system.core.errors import InputError
from dcase_system.corpora.demo_marker import is_demo
from dcase_system.corpora.lists import Lists, read_split
from dcase_system.distillation.teachers import train_teachers
from dcase_system.parallel import workers
from dcase_system.reporting.html import REPORT
from dcase_system.reporting.provenance import provenance_text
from dcase_system.reporting.summary import run_summary
from dcase_system.reporting.tables import COLUMNS
from dcase_system.submission.assemble import assemble
from dcase_system.submission.card import AuthorCard
from dcase_system.submission.package import submission_label
from dcase_system.submission.predictions_2025 import write_predictions_2025
from recipes import _common
from recipes._flags import given, set_defaults

FLAGS = flags.FLAGS


def run(split: int) -> None:
    """Trains the system, and teachers unless some are named, and packages it if possible.

    Args:
        split: Size of the training list, in percent.
    """
    workers.start(FLAGS.distribution)
    system = FLAGS.system
    corpus, evaluation, name = _common.scenes()
    card = _common.author_card([system], corpus.root if evaluation else None)
    responses = _common.impulse_responses()
    _common.check_system(system, corpus, packed=evaluation is not None)
    run_dir = Path(FLAGS.output_dir or f"runs/{name}/split{split}-{system}-seed{FLAGS.seed}")
    lists = read_split(corpus, split, evaluation)
    plan = _plan(system, lists)
    files: dict[str, Any] = {
        "formats": FLAGS.tflite_formats,
        "qat": QATPlan(epochs=FLAGS.qat_epochs) if FLAGS.qat_epochs else None,
        "devices": _device_plan() if FLAGS.device_specific else None,
    }
    ensemble = _common.ensemble(lists, split, Path(FLAGS.teachers)) if FLAGS.teachers else None
    trains_teachers = ensemble is None and FLAGS.distill and system != "baseline"
    settings = settings_of(plan, split, lists.record, ensemble, responses, **files)
    if trains_teachers:
        del settings["teachers"]  # not known before they are trained
    runs.check(run_dir, settings, overwrite=FLAGS.overwrite)
    _common.announce(run_dir, plan, lists)
    data = decoded(lists, split, _common.stores(), seconds=FLAGS.seconds)
    if trains_teachers:
        ensemble = _common.ensemble(lists, split, _trained_teachers(name, data, responses))
    run = run_split(
        run_dir,
        plan,
        data,
        ensemble=ensemble,
        impulse_responses=responses,
        **files,
        system=system,
        overwrite=FLAGS.overwrite,
    )
    print(run_summary(run_dir))
    print(f"\nreport: {run_dir / REPORT}\n{provenance_text(run_dir)}")
    if evaluation and SYSTEMS[system].not_packed:
        print(f"\n{textwrap.fill(f'Not packed: {SYSTEMS[system].not_packed}', COLUMNS)}")
    elif evaluation:
        package = assemble(
            run_dir / "submission",
            card,
            [_common.submitted(system, [run])],
            scenes=corpus.scenes,
            devices=corpus.devices,
            evaluation_filenames=data.evaluation,
            for_submission=not is_demo(corpus.root),
        )
        print(f"validated package of this split alone: {package}")
        if run.devices is not None and run.devices.output is not None:
            print(f"validated predictions of 2025: {_predictions_2025(run, card, data)}")


def _device_plan() -> DevicePlan:
    return DevicePlan(
        epochs=FLAGS.device_epochs,
        learning_rate=FLAGS.device_learning_rate,
        min_clips=FLAGS.device_min_clips,
    )


def _predictions_2025(run: SplitRun, card: AuthorCard, data: Data) -> Path:
    """Writes the predictions of the device-specific networks as the rules of 2025 want them."""
    assert run.devices is not None and run.devices.output is not None
    costs, general = run.devices.complexity["devices"], run.devices.complexity["general"]
    devices = {*data.train.clips.devices, *data.test.clips.devices, *data.evaluation_devices}
    return write_predictions_2025(
        run.directory / "submission" / "predictions",
        submission_label(card.label.lastname, card.label.institute, 1),
        run.devices.output,
        {device: costs.get(device, general) for device in sorted(devices)},
        run.devices.scores["device_specific"]["overall"]["accuracy"],
        evaluation_filenames=data.evaluation,
        scenes=data.scenes,
    )


def _plan(name: str, lists: Lists) -> StudentPlan:
    """Builds the plan of a system; pruned systems train for more epochs in total."""
    system, on_demo = SYSTEMS[name], FLAGS.data_dir is None
    set_defaults({"mask_frames": system.mask_frames})
    if system.rounds:
        factor = DEMO_PRUNED_EPOCHS_FACTOR if on_demo else PRUNED_EPOCHS_FACTOR
        set_defaults({"epochs": round(factor * FLAGS["epochs"].default)})
    trainings = planned(name, _common.total_epochs(lists), _common.pruning_options(), demo=on_demo)
    return trainings.student(**_common.student_settings(trainings.architecture))


def _trained_teachers(name: str, data: Data, responses: ImpulseResponses | None) -> Path:
    """Trains the split's teachers and returns their folder."""
    if FLAGS.distribution == "multi_worker":
        raise InputError(
            "with several machines, teachers need a separate command",
            where="--teachers",
            expected="the folder that recipes.teachers wrote",
        )
    own = FLAGS.output_dir
    folder = Path(f"{own}-teachers") if own else _common.teachers_folder(name, data.split)
    settings = given("validation_fraction") | _common.augmentation()
    if FLAGS.teacher_epochs:
        settings["epochs"] = FLAGS.teacher_epochs
    train_teachers(folder, _common.ensemble_plans(data.split, settings), data, responses)
    return folder
