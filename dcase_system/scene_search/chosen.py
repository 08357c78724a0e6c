"""The chosen network: trained from scratch, exported, scored as it is handed in."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcase_system import stages
from dcase_system.complexity import rules
from dcase_system.edge import forms, tflite
from dcase_system.edge.precision import cast_weights
from dcase_system.files import write_json
from dcase_system.models import registry
from dcase_system.models.stored import load_network, save_network
from dcase_system.scene_search.clips import SceneData
from dcase_system.scene_search.features import Segments
from dcase_system.scene_search.training import (
    ScenePlan,
    clip_probabilities,
    predict_clips,
    score_clips,
    trained_network,
)
from dcase_system.submission.outputs import write_output
from dcase_system.submission.task1b import counted_bytes

PRECISION = "float16"
SUBMITTED_FORM = "keras_float16"
OUTPUT = Path("evaluation") / "output.csv"
_CALIBRATION_SEGMENTS = 200
_BATCH = 64


def train_chosen(folder: Path, spec: Any, plan: ScenePlan, data: SceneData) -> dict[str, Any]:
    """Trains on the whole training list, exports, scores the dev-test list and predicts.

    Args:
        folder: receives `network`, `edge`, `dev_test`, `evaluation` and `complexity.json`.
        spec: of the network.
        plan: hyper-parameters.
        data: clips.

    Returns:
        Its `complexity`, the `size_2020` that the rules of Task 1B count, and the `scores` of the
        float16 network, which is handed in, and of its `.tflite` file.

    Raises:
        InputError: the training diverges.
    """
    statistics = data.train.features.statistics()

    def train(target: Path, checkpoint: Path) -> None:
        network = trained_network(
            spec,
            data.train.features.segments(statistics),
            data.train.clips.labels,
            plan,
            checkpoint=checkpoint,
            metrics_log=folder / "metrics.jsonl",
            name=folder.name,
        )
        save_network(target, network, spec)
        np.savez(target / "statistics.npz", mean=statistics.mean, scale=statistics.scale)

    inputs = {"spec": registry.spec_to_json(spec), "plan": asdict(plan), "clips": data.train.key}
    key = stages.run_training(folder / "network", inputs, train)
    network = load_network(folder / "network")
    submitted = cast_weights(network, PRECISION)
    complexity = rules.report(submitted, PRECISION)
    write_json(folder / "complexity.json", complexity)
    edge = stages.run_stage(
        folder / "edge",
        {"network": key, "classes": data.classes},
        lambda target: _export(
            target, network, data.train.features.segments(statistics), data.classes
        ),
    )
    stages.run_stage(
        folder / "dev_test",
        {"edge": edge, "clips": data.test.key},
        lambda target: _score(
            target, submitted, folder / "edge", data.test.features.segments(statistics), data
        ),
    )
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


def _export(
    target: Path, network: keras.Model, segments: Segments, classes: tuple[str, ...]
) -> None:
    rows = np.linspace(0, len(segments) - 1, min(_CALIBRATION_SEGMENTS, len(segments))).astype(int)
    taken = "scalogram of a segment, normalised by network/statistics.npz"
    forms.export_all(network, segments.gather(rows), classes, target, taken)


def _score(
    target: Path, submitted: keras.Model, edge: Path, segments: Segments, data: SceneData
) -> None:
    scored: dict[str, forms.Form] = {
        SUBMITTED_FORM: forms.keras_form(submitted),
        "tflite_float16": tflite.TFLiteModel(edge / tflite.file_name(PRECISION)),
    }
    batches = [
        np.arange(start, min(start + _BATCH, len(segments)))
        for start in range(0, len(segments), _BATCH)
    ]
    scores = {}
    for name, form in scored.items():
        logits = np.concatenate([form(segments.gather(rows)) for rows in batches])
        probabilities = clip_probabilities(logits, segments.per_clip)
        scores[name] = asdict(score_clips(probabilities, data.test.clips.labels, data.classes))
    write_json(target / "scores.json", scores)
