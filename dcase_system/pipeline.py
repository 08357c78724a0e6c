"""The stages of a challenge system on one split, in the report's own order.

waveform store -> student -> .tflite files -> dev-test scores of every form -> evaluation output.
"""

import json
import logging
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from dcase_system import stages
from dcase_system.audio.log_mel import LogMel, LogMelSpec
from dcase_system.audio.store import Waveforms, ingest
from dcase_system.complexity import rules
from dcase_system.corpora.corpus import (
    Clips,
    Corpus,
    device_groups,
    read_evaluation_list,
    validation_rows,
)
from dcase_system.edge import forms
from dcase_system.edge.precision import cast_weights
from dcase_system.errors import InputError
from dcase_system.files import fingerprint, replacing, write_json
from dcase_system.models import registry
from dcase_system.progress import progress_bar
from dcase_system.submission.outputs import write_output
from dcase_system.training import metrics, seeds
from dcase_system.training.fit import ValidationSet, fit
from dcase_system.training.student import student_model

_LOG = logging.getLogger(__name__)

SUBMITTED_PRECISION = "float16"
SUBMITTED_FORM = "keras_float16"
FRONT_END = LogMelSpec()
_CALIBRATION_CLIPS = 200


@dataclass(frozen=True)
class StudentPlan:
    """Hyper-parameters of a student's training; the defaults are the 2024 baseline's.

    Attributes:
        architecture: name in the registry.
        epochs: passes over the split.
        batch_size: clips a step.
        learning_rate: the highest, of AdamW.
        weight_decay: decoupled.
        warmup_steps: None takes the published 2,000, or 7 % of a run under 4,000 steps.
        roll_seconds: largest time roll.
        mask_mels: largest frequency mask, in mel bands.
        mask_frames: largest time mask, in frames.
        mixstyle_probability: of Freq-MixStyle, by batch.
        mixstyle_alpha: of its Beta distribution.
        validation_fraction: part of the split held out by location and scored after each epoch,
            for the log; 0 trains on all of it, as published.
        seed: of everything random.
    """

    architecture: str
    epochs: int = 150
    batch_size: int = 256
    learning_rate: float = 0.005
    weight_decay: float = 1e-4
    warmup_steps: int | None = None
    roll_seconds: float = 0.1
    mask_mels: int = 48
    mask_frames: int = 0
    mixstyle_probability: float = 0.4
    mixstyle_alpha: float = 0.3
    validation_fraction: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Data:
    """The clips of a run: the corpus, its training split, its test list, the evaluation set.

    Every list is read and every file decoded when this is made, so that faulty data is refused
    before any training.
    """

    scenes: tuple[str, ...]
    split: int
    train: Clips
    train_audio: Waveforms
    test: Clips
    test_audio: Waveforms
    evaluation: tuple[str, ...]
    evaluation_audio: Waveforms | None


@dataclass(frozen=True)
class SplitRun:
    """What a finished run leaves behind.

    Attributes:
        directory: the run directory.
        split: percentage of the training list.
        scores: content of `dev_test/scores.json`.
        complexity: content of `complexity.json`.
        output: the evaluation output file, or None without an evaluation set.
    """

    directory: Path
    split: int
    scores: dict[str, Any]
    complexity: dict[str, Any]
    output: Path | None


def load_data(corpus: Corpus, split: int, evaluation: Path | None, stores: Path) -> Data:
    """Reads the lists and brings every clip they name into the waveform stores.

    Args:
        corpus: development clips.
        split: 5, 10, 25, 50 or 100.
        evaluation: folder of the unlabelled evaluation clips, or None.
        stores: folder of the waveform stores, shared by all runs.

    Raises:
        InputError: a list or a clip is not as expected.
    """
    train, test = corpus.split(split), corpus.test()
    listed = read_evaluation_list(evaluation) if evaluation else ()
    return Data(
        scenes=corpus.scenes,
        split=split,
        train=train,
        train_audio=_ingest(stores, corpus.root, train.filenames),
        test=test,
        test_audio=_ingest(stores, corpus.root, test.filenames),
        evaluation=listed,
        evaluation_audio=_ingest(stores, evaluation, listed) if evaluation else None,
    )


def run_split(run_dir: Path, plan: StudentPlan, data: Data) -> SplitRun:
    """Trains, exports, scores and predicts one system on one split.

    A stage that is done is not done again; an interrupted training resumes.

    Args:
        run_dir: where everything is written.
        plan: hyper-parameters.
        data: clips.

    Raises:
        InputError: another run is at work in the directory, or the training diverges.
    """
    with stages.only_one(run_dir):
        stages.write_config(
            run_dir, {"split": data.split, "scenes": data.scenes, "plan": asdict(plan)}
        )
        spec = registry.with_classes(registry.named_spec(plan.architecture), len(data.scenes))
        inputs = {
            "plan": asdict(plan),
            "spec": registry.spec_to_json(spec),
            "clips": _clips_key(data.train, data.train_audio),
        }
        # Named by all that decides the training, so that no other training is ever resumed.
        checkpoint = run_dir / "checkpoints" / f"student-{fingerprint(inputs)[:16]}.npz"
        student = stages.run_stage(
            run_dir / "student",
            inputs,
            lambda folder: _train(folder, checkpoint, run_dir / "metrics.jsonl", spec, plan, data),
        )
        shutil.rmtree(checkpoint.parent, ignore_errors=True)
        network = load_student(run_dir / "student")
        write_json(run_dir / "complexity.json", rules.report(network, SUBMITTED_PRECISION))
        edge = stages.run_stage(
            run_dir / "edge",
            {"student": student, "scenes": data.scenes},
            lambda folder: _export(folder, network, plan.seed, data),
        )
        stages.run_stage(
            run_dir / "dev_test",
            {"edge": edge, "clips": _clips_key(data.test, data.test_audio)},
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
                    _predict(network, audio),
                    data.scenes,
                ),
            )
    return load_run(run_dir)


def load_run(run_dir: Path) -> SplitRun:
    """What a finished run left behind.

    Raises:
        InputError: the directory holds no finished run.
    """

    def read(name: str) -> dict[str, Any]:
        try:
            return json.loads((run_dir / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"not a finished run ({error})", where=run_dir / name) from error

    split = read("config.json")["settings"]["split"]
    scores, complexity = read("dev_test/scores.json"), read("complexity.json")
    output: Path | None = run_dir / "evaluation" / output_file(split)
    predicted = stages.read_stage(run_dir / "evaluation").get("inputs", {}).get("student")
    if predicted is None or predicted != stages.read_stage(run_dir / "student").get("key"):
        output = None  # no evaluation set, or predictions that an earlier student made
    return SplitRun(run_dir, split, scores, complexity, output)


def output_file(split: int) -> str:
    """Name of the evaluation output in the `evaluation` folder of a run."""
    return f"output.split_{split}.csv"


def load_student(folder: Path) -> keras.Model:
    """The network of a student stage: built from its spec, with the trained weights."""
    network = registry.build(registry.read_spec(folder / "spec.json"))
    network.load_weights(folder / "student.keras")
    return network


def _ingest(stores: Path, root: Path, filenames: tuple[str, ...]) -> Waveforms:
    folder = root.resolve()
    store = stores / f"{folder.name}-{fingerprint(str(folder))[:8]}"
    with progress_bar(f"decoding {folder.name}", "clip") as show:
        return ingest(store, root, filenames, sample_rate=FRONT_END.sample_rate, on_progress=show)


def _clips_key(clips: Clips, audio: Waveforms) -> str:
    return fingerprint([clips.filenames, clips.labels.tolist(), audio.key])


def _train(
    folder: Path, checkpoint: Path, metrics_log: Path, spec: Any, plan: StudentPlan, data: Data
) -> None:
    seeds.set_seed(plan.seed)
    network = registry.build(spec)
    model = student_model(
        network,
        FRONT_END,
        data.train_audio.samples.shape[1],
        roll_seconds=plan.roll_seconds,
        mask_mels=plan.mask_mels,
        mask_frames=plan.mask_frames,
        mixstyle_probability=plan.mixstyle_probability,
        mixstyle_alpha=plan.mixstyle_alpha,
        seed=plan.seed,
    )
    held_out = validation_rows(data.train, plan.validation_fraction, plan.seed)
    kept, held = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    targets = np.eye(len(data.scenes), dtype=np.float32)[data.train.labels]
    fit(
        model,
        data.train_audio.take(kept),
        targets[kept],
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        learning_rate=plan.learning_rate,
        weight_decay=plan.weight_decay,
        warmup=plan.warmup_steps,
        seed=plan.seed,
        checkpoint=checkpoint,
        metrics_log=metrics_log,
        validation=ValidationSet(data.train_audio.take(held), data.train.labels[held])
        if held.size
        else None,
        name=f"split{data.split} {plan.architecture}",
    )
    write_json(folder / "spec.json", registry.spec_to_json(spec))
    network.save(folder / "student.keras")


def _export(folder: Path, network: keras.Model, seed: int, data: Data) -> None:
    clips = len(data.train)
    chosen = np.random.default_rng(seed).permutation(clips)[:_CALIBRATION_CLIPS]
    forms.export_all(
        network, LogMel(FRONT_END), data.train_audio.take(np.sort(chosen)), data.scenes, folder
    )


def _score(folder: Path, network: keras.Model, edge: Path, data: Data) -> None:
    """Scores every form on the dev-test list; the only stage that reads it."""
    groups = device_groups(data.train.devices, data.test.devices)
    logits = forms.logits_of(forms.forms_of(network, edge), LogMel(FRONT_END), data.test_audio)
    scores: dict[str, Any] = {"submitted_form": SUBMITTED_FORM, "forms": {}}
    submitted = logits[SUBMITTED_FORM].argmax(axis=-1)
    for name, values in logits.items():
        scored = metrics.score(
            metrics.softmax(values), data.test.labels, data.scenes, data.test.devices, groups
        )
        agreement = float(100 * (values.argmax(axis=-1) == submitted).mean())
        scores["forms"][name] = {**asdict(scored), "agreement": agreement}
    hits = submitted == data.test.labels
    scores["interval_95"] = metrics.clustered_interval(hits, data.test.labels, data.test.locations)
    write_json(folder / "scores.json", scores)
    table = pd.DataFrame(metrics.softmax(logits[SUBMITTED_FORM]), columns=list(data.scenes))
    table.insert(0, "filename", data.test.filenames)
    table.insert(1, "scene_label", [data.scenes[label] for label in data.test.labels])
    table.insert(2, "predicted", [data.scenes[label] for label in submitted])
    with replacing(folder / "predictions.csv") as temporary:
        table.to_csv(temporary, sep="\t", index=False)


def _predict(network: keras.Model, audio: Waveforms) -> np.ndarray:
    """Probabilities (clips, classes) of the form that is handed in."""
    submitted = {SUBMITTED_FORM: forms.keras_form(cast_weights(network, SUBMITTED_PRECISION))}
    return metrics.softmax(forms.logits_of(submitted, LogMel(FRONT_END), audio)[SUBMITTED_FORM])
