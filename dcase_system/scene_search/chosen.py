"""The chosen network: trained from scratch, exported, scored as it is handed in."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcase_system import stages
from dcase_system.complexity import rules
from dcase_system.edge import forms
from dcase_system.edge.contract import Contract, Normalisation, save_contract
from dcase_system.edge.export import export_checked
from dcase_system.edge.precision import cast_weights
from dcase_system.files import write_json
from dcase_system.models import registry
from dcase_system.models.stored import load_network, save_network
from dcase_system.scene_search.clips import SceneClips, SceneData
from dcase_system.scene_search.features import Statistics
from dcase_system.scene_search.training import (
    ACTIVATION,
    ScenePlan,
    predict_clips,
    score_clips,
    trained_network,
)
from dcase_system.submission.outputs import write_output
from dcase_system.submission.task1b import counted_bytes
from dcase_system.training.log import TENSORBOARD, TrainingLog

PRECISION = "float16"
SUBMITTED_FORM = "keras_float16"
OUTPUT = Path("evaluation") / "output.csv"
_CALIBRATION_SEGMENTS = 200
_BATCH = 64


def train_chosen(folder: Path, spec: Any, plan: ScenePlan, data: SceneData) -> dict[str, Any]:
    """Trains on the whole training list, exports, scores the dev-test list and predicts.

    Args:
        folder: receives `network`, `edge`, `dev_test`, `evaluation` and `complexity.json`; the
            curves of its training lie beside it, in the run's folder of them.
        spec: of the network.
        plan: hyper-parameters.
        data: clips.

    Returns:
        Its `complexity`, the `size_2020` that the rules of Task 1B count, and the `scores` of its
        forms, of which the Keras network at float16 is handed in.

    Raises:
        InputError: the training diverges.
    """
    statistics = data.train.features.statistics()
    contract = Contract(
        data.classes,
        data.front_end,
        data.train.audio.shape[0],
        channels=data.train.audio.shape[1],
        activation=ACTIVATION,
        normalisation=Normalisation(statistics.mean.tolist(), statistics.scale.tolist()),
    )

    def train(target: Path, checkpoint: Path) -> None:
        network = trained_network(
            spec,
            data.train.features.segments(statistics),
            data.train.clips.labels,
            plan,
            checkpoint=checkpoint,
            metrics_log=TrainingLog(
                folder / "metrics.jsonl", folder.parent / TENSORBOARD / folder.name
            ),
            name=folder.name,
        )
        save_network(target, network, spec)
        save_contract(target, contract)

    inputs = {"spec": registry.spec_to_json(spec), "plan": asdict(plan), "clips": data.train.key}
    key = stages.run_training(folder / "network", inputs, train)
    network = load_network(folder / "network")
    submitted = cast_weights(network, PRECISION)
    complexity = rules.report(submitted, PRECISION)
    write_json(folder / "complexity.json", complexity)
    edge = stages.run_stage(
        folder / "edge",
        {"network": key, "classes": data.classes},
        lambda target: _export(target, network, contract, data),
    )
    stages.run_stage(
        folder / "dev_test",
        {"edge": edge, "clips": data.test.key},
        lambda target: _score(
            target, forms.forms_of(network, folder / "edge"), contract, statistics, data.test
        ),
    )
    _write_model_card(folder, data.warnings)
    features = data.evaluation_features
    if features is not None:
        stages.run_stage(
            folder / OUTPUT.parent,
            {"network": key, "clips": features.key},
            lambda target: write_output(
                target / OUTPUT.name,
                data.evaluation,
                predict_clips(submitted, features.segments(statistics)),
                data.classes,
            ),
        )
    return {
        "complexity": {name: value for name, value in complexity.items() if name != "layers"},
        "size_2020": counted_bytes(complexity),
        "scores": json.loads((folder / "dev_test" / "scores.json").read_text(encoding="utf-8")),
    }


def _write_model_card(folder: Path, warnings: Sequence[str]) -> None:
    from dcase_system.reporting.model_card import write_model_card  # imports matplotlib

    write_model_card(folder, warnings=warnings)


def _export(target: Path, network: keras.Model, contract: Contract, data: SceneData) -> None:
    train = data.train
    wanted = -(-_CALIBRATION_SEGMENTS // contract.segments)
    rows = np.linspace(0, len(train.audio) - 1, min(wanted, len(train.audio))).astype(int)
    names = [train.clips.filenames[row] for row in rows]
    export_checked(network, contract, train.audio.take(rows), names, target)


def _score(
    target: Path,
    written: dict[str, forms.Form],
    contract: Contract,
    statistics: Statistics,
    clips: SceneClips,
) -> None:
    """Scores the forms that take features: those of the list are at hand."""
    segments = clips.features.segments(statistics)
    scored = {name: form for name, form in written.items() if form.takes == "features"}
    batches = [
        np.arange(start, min(start + _BATCH, len(segments)))
        for start in range(0, len(segments), _BATCH)
    ]
    scores = {}
    for name, form in scored.items():
        logits = np.concatenate([form.logits(segments.gather(rows)) for rows in batches])
        probabilities = contract.probabilities(logits)
        scores[name] = asdict(score_clips(probabilities, clips.clips.labels, contract.labels))
    write_json(target / "scores.json", scores)
