"""Device-specific networks: the finished student, fine-tuned on the training clips of one device.

The challenge of 2025 names the device of every clip and limits the network of each device, not
their sum. Devices without a network of their own are left to the student itself.
"""

import logging
import re
from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from dcase_system.audio.clips import ClipSet, Data
from dcase_system.challenge.student.plan import STUDENT, DevicePlan, Step, StudentPlan
from dcase_system.challenge.student.setup import StageSetup
from dcase_system.challenge.student.stage import StudentStage
from dcase_system.core.errors import InputError
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.models import registry
from dcase_system.models.stored import SPEC
from dcase_system.pruning.rounds import MagnitudeRound
from dcase_system.runs import stages
from dcase_system.training import seeds
from dcase_system.training.plan import held_out_rows

_LOG = logging.getLogger(__name__)
_FOLDER_NAME = re.compile(r"[\w.-]+")


def devices_to_tune(train: ClipSet, plan: StudentPlan, devices: DevicePlan) -> tuple[str, ...]:
    """Returns the devices with enough training clips, in alphabetical order; logs the others.

    Args:
        train: Training clips of the student.
        plan: Plan of the student; clips that it holds out do not count.
        devices: Plan of the fine-tuning.

    Raises:
        InputError: The name of such a device cannot be part of a folder's name.
    """
    held_out = held_out_rows(train.clips, plan.validation_fraction)
    found = []
    for device in sorted(set(train.clips.devices)):
        clips = int((train.clips.recorded_by(device) & ~held_out).sum())
        if clips < devices.min_clips:
            _LOG.info(
                "device %s: %d training clips, fewer than %d; it is left to the general network",
                *(device, clips, devices.min_clips),
            )
            continue
        if not _FOLDER_NAME.fullmatch(device):
            raise InputError(
                "device cannot have a folder of its own",
                where="meta.csv, column source_label",
                expected="a name of letters, digits, dots, hyphens and underscores",
                received=repr(device),
            )
        found.append(device)
    return tuple(found)


def folder_of(run_dir: Path, device: str) -> Path:
    """Returns the folder of a device's network."""
    return run_dir / f"device_{device}"


def train_devices(
    run_dir: Path,
    plan: StudentPlan,
    devices: DevicePlan,
    names: Iterable[str],
    data: Data,
    student: str,
    ensemble: Ensemble | None = None,
) -> dict[str, str]:
    """Runs one stage a device, `folder_of(run_dir, device)`.

    Each starts from the finished student, with its widths (and its zeros, after magnitude pruning).

    Args:
        run_dir: Run directory, with the finished student.
        plan: Plan of the student.
        devices: Plan of the fine-tuning.
        names: Devices to fine-tune for, from `devices_to_tune`.
        data: Clips; the dev-test clips are not used.
        student: Key of the student's stage.
        ensemble: Teachers to learn from, or None to learn from the labels alone.

    Returns:
        The key of each device's stage.

    Raises:
        InputError: Training diverges.
    """
    spec = registry.read_spec(run_dir / STUDENT / SPEC)
    last = plan.rounds[-1] if plan.rounds else None
    zeros = last.tuning if isinstance(last, MagnitudeRound) else None
    held = zeros and replace(zeros, epochs=devices.epochs)
    keys = {}
    for device in names:
        tuning = replace(
            plan,
            epochs=devices.epochs,
            learning_rate=devices.learning_rate,
            mixstyle_probability=0.0,
            impulse_response_probability=0.0,
            rounds=(),
            seed=seeds.derive(plan.seed, f"device {device}"),
        )
        folder = folder_of(run_dir, device)
        inputs = {
            "plan": asdict(tuning),
            "zeros": held and asdict(held),
            "device": device,
            "student": student,
            "clips": data.train.key,
            "teachers": ensemble and ensemble.key,
        }
        step = Step(folder.name, tuning.epochs, held)
        setup = StageSetup(run_dir, step, tuning, data, ensemble, None, device)
        stage = StudentStage(setup, later_epochs=0)
        keys[device] = stages.run_training(
            folder, inputs, partial(stage, spec=spec, previous=run_dir / STUDENT)
        )
    return keys
