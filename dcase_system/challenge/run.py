"""Runs the stages of a challenge system on one split, in the report's order.

student (-> its int8 file, device-specific networks) -> .tflite files -> dev-test scores of all
variants -> evaluation output.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcase_system import runs
from dcase_system.audio.clips import SAMPLE_RATE, Data
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.challenge.dev_test import LAYOUT, submitted_probabilities, write_scores
from dcase_system.challenge.devices import apply_device_networks
from dcase_system.challenge.finished import SplitRun, load_run, output_file
from dcase_system.challenge.published import is_published_corpus, published_rows
from dcase_system.challenge.student.devices import devices_to_tune, train_devices
from dcase_system.challenge.student.plan import (
    QAT,
    STUDENT,
    SUBMITTED_PRECISION,
    DevicePlan,
    QATPlan,
    StudentPlan,
    signature_of,
    steps,
)
from dcase_system.challenge.student.qat import INT8, train_qat
from dcase_system.challenge.student.train import train_student
from dcase_system.complexity import rules
from dcase_system.complexity.sparsity import sparsity_report
from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint, read_json, write_json
from dcase_system.distillation.consistent import check_networks
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.edge.checked_export import export_checked, sample_calibration_rows
from dcase_system.edge.tflite import FORMATS, file_name
from dcase_system.models.signature import ModelSignature
from dcase_system.models.stored import load_network
from dcase_system.parallel.workers import dismiss_others
from dcase_system.runs import stages
from dcase_system.submission.outputs import write_output
from dcase_system.training.batches import epoch_steps
from dcase_system.training.plan import held_out_rows
from dcase_system.training.rejection import Rejection, rejection_threshold

_THRESHOLD = "threshold.json"


def settings_of(
    plan: StudentPlan,
    split: int,
    clips: Mapping[str, Any],
    ensemble: Ensemble | None = None,
    impulse_responses: ImpulseResponses | None = None,
    *,
    formats: Sequence[str] = FORMATS,
    qat: QATPlan | None = None,
    rejection: Rejection | None = None,
    devices: DevicePlan | None = None,
) -> dict[str, Any]:
    """Collects everything that decides the results of `run_split`, for `runs.check`.

    Args:
        plan: Hyper-parameters.
        split: Size of the training list, in percent.
        clips: Record of the clips, or of their lists.

    See `run_split` for the others.

    Raises:
        InputError: The teachers cannot teach as the plan says.
    """
    if ensemble and plan.teaching == "consistent":
        check_networks(ensemble)
    teachers = {"key": ensemble.key, "members": ensemble.members} if ensemble else None
    return {
        "kind": "split",
        "split": split,
        "plan": asdict(plan),
        "teachers": teachers,
        "impulse_responses": impulse_responses and impulse_responses.key,
        "formats": formats,
        "aware": qat and asdict(qat),
        **({"rejection": asdict(rejection)} if rejection else {}),
        "device_specific": devices and asdict(devices),
        **clips,
    }


def run_split(
    run_dir: Path,
    plan: StudentPlan,
    data: Data,
    *,
    ensemble: Ensemble | None = None,
    impulse_responses: ImpulseResponses | None = None,
    formats: Sequence[str] = FORMATS,
    qat: QATPlan | None = None,
    rejection: Rejection | None = None,
    devices: DevicePlan | None = None,
    system: str | None = None,
    overwrite: bool = False,
) -> SplitRun:
    """Trains, exports, scores and predicts one system on one split.

    Finished stages are not repeated; an interrupted training resumes.

    Args:
        run_dir: Run directory.
        plan: Hyper-parameters.
        data: Clips.
        ensemble: Teachers to learn from, or None to learn from the labels alone.
        impulse_responses: Responses for device augmentation, if the plan uses it.
        formats: Formats of the `.tflite` files.
        qat: Plan of quantization-aware training for the int8 files; None quantizes them after
            training.
        rejection: How sounds of no class of interest are treated, see `training.rejection`; its
            threshold is set on the validation clips.
        devices: Plan of the device-specific networks, or None for the general network alone.
        system: Name of the system in the report or the package, for the record.
        overwrite: Whether to remove an existing run from the directory first.

    Raises:
        InputError: The directory holds something else or another process runs in it, see
            `runs.begun`; training diverges; or an exported variant deviates too far from the
            network.
    """
    files: dict[str, Any] = {
        "formats": formats,
        "qat": qat,
        "rejection": rejection,
        "devices": devices,
    }
    settings = settings_of(plan, data.split, data.record, ensemble, impulse_responses, **files)
    tuned = devices_to_tune(data.train, plan, devices) if devices else ()
    external_data = [*(ensemble.external_data if ensemble else ())]
    if impulse_responses is not None:
        external_data = sorted({*external_data, "dataset"})
    trained = ~held_out_rows(data.train.clips, plan.validation_fraction)
    notes = {
        "system": system,
        "stages": [step.name for step in steps(plan)],
        "steps_per_epoch": epoch_steps(int(trained.sum()), plan.batch_size),
        "external_data": external_data,
    }
    with runs.begun(run_dir, settings, notes=notes, overwrite=overwrite):
        student = train_student(run_dir, plan, data, ensemble, impulse_responses)
        dismiss_others()
        if ensemble is not None:
            write_json(run_dir / "teachers.json", ensemble.description)
        device_keys = {}
        if devices is not None:
            device_keys = train_devices(run_dir, plan, devices, tuned, data, student, ensemble)
        network = load_network(run_dir / STUDENT)
        seconds = data.train.audio.shape[0] / SAMPLE_RATE
        last = plan.rounds[-1] if plan.rounds else None
        complexity = rules.report(
            network,
            SUBMITTED_PRECISION,
            seconds,
            target_macs=getattr(last, "max_macs", None),
            target_bytes=getattr(last, "max_bytes", None),
        )
        write_json(run_dir / "complexity.json", complexity)
        inputs: dict[str, Any] = {"student": student, "scenes": data.scenes}
        inputs["formats"], int8 = list(formats), None
        if qat is not None:
            inputs["aware"] = train_qat(
                run_dir, plan, qat, data, student, ensemble, impulse_responses
            )
            int8 = run_dir / QAT / INT8
        signature = signature_of(plan, data)
        if rejection is not None and rejection.rate is not None:
            inputs["rejection"], threshold = _threshold(
                run_dir, network, signature, data, student, rejection
            )
            signature = replace(signature, rejection_threshold=threshold)
        edge = stages.run_stage(
            run_dir / "edge",
            inputs,
            lambda folder: _export(folder, network, signature, plan.seed, data, formats, int8),
        )
        write_json(
            run_dir / "sparsity.json",
            sparsity_report(network, {x: run_dir / "edge" / file_name(x) for x in formats}),
        )
        dev_test = stages.run_stage(
            run_dir / "dev_test",
            {
                "edge": edge,
                "clips": data.test.key,
                "layout": LAYOUT,
                **({"unknown": rejection.classes} if rejection else {}),
            },
            lambda folder: write_scores(
                folder, network, run_dir / "edge", signature, data, rejection
            ),
        )
        published = published_rows([system] if system else [], [data.split])
        same_corpus = is_published_corpus(data.scenes, len(data.test))
        write_json(run_dir / "published.json", {"rows": published, "same_corpus": same_corpus})
        audio = data.evaluation_audio
        if audio is not None:
            stages.run_stage(
                run_dir / "evaluation",
                {"student": student, "clips": fingerprint([data.evaluation, audio.key])},
                lambda folder: write_output(
                    folder / output_file(data.split),
                    data.evaluation,
                    submitted_probabilities(network, signature, audio),
                    data.scenes,
                ),
            )
        if devices is not None:
            output = run_dir / "evaluation" / output_file(data.split)
            apply_device_networks(run_dir, network, device_keys, dev_test, signature, data, output)
        _write_report(run_dir, data.warnings)
    return load_run(run_dir)


def _write_report(run_dir: Path, warnings: Sequence[str]) -> None:
    # Imports matplotlib and jinja, which other users of this module do not need.
    from dcase_system.reporting.model_card import write_model_card
    from dcase_system.reporting.report import write_report

    write_report(run_dir)
    write_model_card(run_dir, warnings=warnings)


def _threshold(
    run_dir: Path,
    network: keras.Model,
    signature: ModelSignature,
    data: Data,
    student: str,
    rejection: Rejection,
) -> tuple[str, float]:
    """Sets the threshold on the validation clips of known classes; returns its key and value."""
    clips, rate = data.validation, rejection.rate
    if clips is None or rate is None or data.several_labels:
        raise InputError(
            "threshold for unknown sounds cannot be set",
            where=run_dir,
            expected="clips of one label each, and validation clips among them",
        )

    def work(folder: Path) -> None:
        unknown = np.isin(clips.clips.labels, rejection.indices(data.scenes))
        rows = np.flatnonzero(~unknown)
        probabilities = submitted_probabilities(network, signature, clips.audio.take(rows))
        value = rejection_threshold(probabilities, rate)
        write_json(folder / _THRESHOLD, {"threshold": value, "clips": len(rows), "rate": rate})

    folder = run_dir / "rejection"
    inputs = {"student": student, "clips": clips.key, **asdict(rejection)}
    key = stages.run_stage(folder, inputs, work)
    return key, read_json(folder / _THRESHOLD)["threshold"]


def _export(
    folder: Path,
    network: keras.Model,
    signature: ModelSignature,
    seed: int,
    data: Data,
    formats: Sequence[str],
    int8: Path | None,
) -> None:
    rows = sample_calibration_rows(len(data.train), seed)
    names = [data.train.clips.filenames[row] for row in rows]
    clips, by_qat = data.train.audio.take(rows), int8.read_bytes() if int8 else None
    export_checked(network, signature, clips, names, folder, formats, by_qat)
