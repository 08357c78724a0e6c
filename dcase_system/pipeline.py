"""The stages of a challenge system on one split, in the report's own order.

student (-> its int8 file) -> .tflite files -> dev-test scores of every form -> evaluation output.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from dcase_system import stages
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.audio.store import Waveforms
from dcase_system.complexity import rules
from dcase_system.complexity.sparsity import sparsity_report
from dcase_system.corpora import tau
from dcase_system.corpora.corpus import device_groups
from dcase_system.data import SAMPLE_RATE, Data
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.edge import forms
from dcase_system.edge.check import compare
from dcase_system.edge.contract import Contract
from dcase_system.edge.export import drawn_rows, export_checked
from dcase_system.edge.precision import cast_weights
from dcase_system.edge.tflite import FORMATS, file_name
from dcase_system.errors import InputError
from dcase_system.files import fingerprint, read_json, replacing, write_json
from dcase_system.models.stored import load_network
from dcase_system.student.aware import INT8, train_aware
from dcase_system.student.plan import (
    AWARE,
    STUDENT,
    SUBMITTED_PRECISION,
    AwarePlan,
    StudentPlan,
    contract_of,
)
from dcase_system.student.train import train_student
from dcase_system.submission.outputs import write_output
from dcase_system.training import metrics
from dcase_system.training.batches import epoch_steps
from dcase_system.training.plan import held_out_rows
from dcase_system.workers import dismiss_others

SUBMITTED_FORM = "keras_float16"
_SCORES_LAYOUT = 2  # of what `_score` writes


@dataclass(frozen=True)
class SplitRun:
    """What a finished run leaves behind.

    Attributes:
        directory: the run directory.
        settings: content of `config.json` under that name.
        scores: content of `dev_test/scores.json`.
        complexity: content of `complexity.json`.
        sparsity: content of `sparsity.json`.
        output: the evaluation output file, or None without an evaluation set.
    """

    directory: Path
    settings: dict[str, Any]
    scores: dict[str, Any]
    complexity: dict[str, Any]
    sparsity: dict[str, Any]
    output: Path | None

    @property
    def split(self) -> int:
        """Percentage of the training list."""
        return self.settings["split"]


def run_split(
    run_dir: Path,
    plan: StudentPlan,
    data: Data,
    *,
    ensemble: Ensemble | None = None,
    impulse_responses: ImpulseResponses | None = None,
    formats: Sequence[str] = FORMATS,
    aware: AwarePlan | None = None,
) -> SplitRun:
    """Trains, exports, scores and predicts one system on one split.

    A stage that is done is not done again; an interrupted training resumes.

    Args:
        run_dir: where everything is written.
        plan: hyper-parameters.
        data: clips.
        ensemble: teachers to learn from, or None to learn from the labels alone.
        impulse_responses: for the device augmentation, if the plan has any.
        formats: of the `.tflite` files.
        aware: quantisation-aware training of the int8 files; by default they are quantised after
            training.

    Raises:
        InputError: another run is at work in the directory, the training diverges, or an exported
            form is too far from the network.
    """
    with stages.only_one(run_dir):
        teachers = {"key": ensemble.key, "members": ensemble.members} if ensemble else None
        external_data = [*(ensemble.external_data if ensemble else ())]
        if impulse_responses is not None:
            external_data = sorted({*external_data, "dataset"})
        training_clips = int((~held_out_rows(data.train, plan.validation_fraction)).sum())
        settings = {
            "split": data.split,
            "scenes": data.scenes,
            "steps_per_epoch": epoch_steps(training_clips, plan.batch_size),
            "plan": asdict(plan),
            "teachers": teachers,
            "external_data": external_data,
            "aware": aware and asdict(aware),
            "warnings": data.warnings,
        }
        stages.write_config(run_dir, settings)
        student = train_student(run_dir, plan, data, ensemble, impulse_responses)
        dismiss_others()
        if ensemble is not None:
            write_json(run_dir / "teachers.json", ensemble.description)
        network = load_network(run_dir / STUDENT)
        seconds = data.train.audio.shape[0] / SAMPLE_RATE
        complexity = rules.report(network, SUBMITTED_PRECISION, seconds)
        write_json(run_dir / "complexity.json", complexity)
        inputs: dict[str, Any] = {"student": student, "scenes": data.scenes}
        inputs["formats"], int8 = list(formats), None
        if aware is not None:
            inputs["aware"] = train_aware(
                run_dir, plan, aware, data, student, ensemble, impulse_responses
            )
            int8 = run_dir / AWARE / INT8
        edge = stages.run_stage(
            run_dir / "edge",
            inputs,
            lambda folder: _export(folder, network, plan.seed, data, formats, int8),
        )
        write_json(
            run_dir / "sparsity.json",
            sparsity_report(network, {x: run_dir / "edge" / file_name(x) for x in formats}),
        )
        stages.run_stage(
            run_dir / "dev_test",
            {"edge": edge, "clips": data.test.key, "layout": _SCORES_LAYOUT},
            lambda folder: _score(folder, network, run_dir / "edge", data),
        )
        audio = data.evaluation_audio
        if audio is not None:
            stages.run_stage(
                run_dir / "evaluation",
                {"student": student, "clips": fingerprint([data.evaluation, audio.key])},
                lambda folder: write_output(
                    folder / output_file(data.split),
                    data.evaluation,
                    _predict(network, contract_of(data), audio),
                    data.scenes,
                ),
            )
        _write_report(run_dir, data.warnings)
    return load_run(run_dir)


def _write_report(run_dir: Path, warnings: Sequence[str]) -> None:
    # Imports matplotlib and jinja, which nobody else of this module's users waits for.
    from dcase_system.reporting.model_card import write_model_card
    from dcase_system.reporting.report import write_report

    write_report(run_dir)
    write_model_card(run_dir, warnings=warnings)


def load_run(run_dir: Path) -> SplitRun:
    """What a finished run left behind.

    Raises:
        InputError: the directory holds no finished run.
    """

    def read(name: str) -> dict[str, Any]:
        try:
            values = read_json(run_dir / name)
        except (OSError, ValueError) as error:
            raise InputError(f"not a finished run ({error})", where=run_dir / name) from error
        if not isinstance(values, dict):
            raise InputError("not a finished run", where=run_dir / name, expected="an object")
        return values

    settings = read("config.json").get("settings")
    if not isinstance(settings, dict) or settings.get("split") not in tau.SPLITS:
        raise InputError(
            "not the settings of a run", where=run_dir / "config.json", expected="settings, a split"
        )
    scores, complexity = read("dev_test/scores.json"), read("complexity.json")
    output: Path | None = run_dir / "evaluation" / output_file(settings["split"])
    inputs = stages.read_stage(run_dir / "evaluation").get("inputs")
    predicted = inputs.get("student") if isinstance(inputs, dict) else None
    if predicted is None or predicted != stages.read_stage(run_dir / STUDENT).get("key"):
        output = None  # no evaluation set, or predictions that an earlier student made
    return SplitRun(run_dir, settings, scores, complexity, read("sparsity.json"), output)


def output_file(split: int) -> str:
    """Name of the evaluation output in the `evaluation` folder of a run."""
    return f"output.split_{split}.csv"


def _export(
    folder: Path,
    network: keras.Model,
    seed: int,
    data: Data,
    formats: Sequence[str],
    int8: Path | None,
) -> None:
    rows = drawn_rows(len(data.train), seed)
    names = [data.train.clips.filenames[row] for row in rows]
    clips, aware = data.train.audio.take(rows), int8.read_bytes() if int8 else None
    export_checked(network, contract_of(data), clips, names, folder, formats, aware)


def _score(folder: Path, network: keras.Model, edge: Path, data: Data) -> None:
    """Scores every form on the dev-test list; the only stage that reads it."""
    test = data.test.clips
    groups = device_groups(data.train.clips.devices, test.devices)
    contract = contract_of(data)
    logits = forms.logits_of(forms.forms_of(network, edge), contract, data.test.audio)
    probabilities = {name: contract.probabilities(values) for name, values in logits.items()}
    scores: dict[str, Any] = {"submitted_form": SUBMITTED_FORM, "forms": {}}
    for name, values in probabilities.items():
        scored = metrics.score(values, test.labels, data.scenes, test.devices, groups)
        compared = compare(values, probabilities[forms.REFERENCE])
        scores["forms"][name] = {**asdict(scored), **asdict(compared)}
    submitted = probabilities[SUBMITTED_FORM].argmax(axis=-1)
    hits = submitted == test.labels
    scores["intervals_95"] = metrics.intervals(
        hits, test.labels, data.scenes, test.devices, groups, test.locations
    )
    scores["confusion"] = metrics.confusion(test.labels, submitted, len(data.scenes)).tolist()
    write_json(folder / "scores.json", scores)
    table = pd.DataFrame(probabilities[SUBMITTED_FORM], columns=list(data.scenes))
    table.insert(0, "filename", test.filenames)
    table.insert(1, "identifier", test.locations)
    table.insert(2, "source_label", test.devices)
    table.insert(3, "scene_label", [data.scenes[label] for label in test.labels])
    table.insert(4, "predicted", [data.scenes[label] for label in submitted])
    with replacing(folder / "predictions.csv") as temporary:
        table.to_csv(temporary, sep="\t", index=False)


def _predict(network: keras.Model, contract: Contract, audio: Waveforms) -> np.ndarray:
    """Probabilities (clips, classes) of the form that is handed in."""
    submitted = {SUBMITTED_FORM: forms.keras_form(cast_weights(network, SUBMITTED_PRECISION))}
    return contract.probabilities(forms.logits_of(submitted, contract, audio)[SUBMITTED_FORM])
