"""Trains networks from scratch on the whole training list and scores them on the dev-test list."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcase_system.complexity import rules
from dcase_system.core.files import write_json
from dcase_system.edge.variants import ModelVariant
from dcase_system.models import registry
from dcase_system.models.precision import cast_weights
from dcase_system.models.scene_cnn import SceneCNNSpec, layer_names
from dcase_system.models.signature import save_signature
from dcase_system.models.stored import load_network, save_network
from dcase_system.runs import stages
from dcase_system.scene_search.clips import SceneData
from dcase_system.scene_search.training import (
    MEASURES,
    ScenePlan,
    score_intervals,
    score_segments,
    trained_network,
)
from dcase_system.training.log import TENSORBOARD, TrainingLog

SCORES = "scores.json"
INTERVALS = "intervals_95"
SCORED = (*MEASURES, INTERVALS)  # measures of `score_variants`, for the key of its stage
PRECISION = "float16"
SUBMITTED_FORM = "keras_float16"
_BATCH = 64


@dataclass(frozen=True)
class StageArtifact:
    """A network and the key of its training stage."""

    network: keras.Model
    key: str


def train_from_scratch(folder: Path, spec: Any, plan: ScenePlan, data: SceneData) -> StageArtifact:
    """Trains on the whole training list, unless the stage is finished.

    Args:
        folder: Output folder for `network`; training curves go to the run's TensorBoard folder
            beside it.
        spec: Spec of the network.
        plan: Hyper-parameters.
        data: Clips.

    Raises:
        InputError: Training diverges.
    """

    def train(target: Path, checkpoint: Path) -> None:
        network = trained_network(
            spec,
            data.train.features.segments(data.statistics),
            data.train.clips.labels,
            plan,
            checkpoint=checkpoint,
            metrics_log=TrainingLog(
                folder / "metrics.jsonl", folder.parent / TENSORBOARD / folder.name
            ),
            name=folder.name,
        )
        save_network(target, network, spec)
        save_signature(target, data.signature)

    inputs = {"spec": registry.spec_to_json(spec), "plan": asdict(plan), "clips": data.train.key}
    key = stages.run_training(folder / "network", inputs, train)
    return StageArtifact(load_network(folder / "network"), key)


def submitted_network(folder: Path, network: keras.Model) -> tuple[keras.Model, dict[str, Any]]:
    """Converts a trained network for submission and computes its complexity.

    Args:
        folder: Output folder for `complexity.json`, which lists every layer.
        network: Network as trained.

    Returns:
        The network at float16, and its complexity report without the layers.
    """
    submitted = cast_weights(network, PRECISION)
    complexity = rules.report(submitted, PRECISION)
    write_json(folder / "complexity.json", complexity)
    return submitted, {key: value for key, value in complexity.items() if key != "layers"}


def score_variants(target: Path, variants: Mapping[str, ModelVariant], data: SceneData) -> None:
    """Writes `scores.json` of the dev-test list: each variant's `SceneScore` with its intervals.

    Args:
        target: Output folder.
        variants: Variants that take features, by name.
        data: Clips.
    """
    segments, clips = data.test.features.segments(data.statistics), data.test.clips
    batches = [
        np.arange(start, min(start + _BATCH, len(segments)))
        for start in range(0, len(segments), _BATCH)
    ]
    scores = {}
    for name, variant in variants.items():
        logits = np.concatenate([variant.logits(segments.gather(rows)) for rows in batches])
        score = score_segments(logits, segments.per_clip, clips.labels, data.classes)
        intervals = score_intervals(logits, segments.per_clip, clips.labels, clips.locations)
        scores[name] = {**asdict(score), INTERVALS: intervals}
    write_json(target / SCORES, scores)


def layers_of(spec: Any) -> list[str] | None:
    """Lists the layers as in Table 3 of the paper; None for networks outside the search space."""
    return list(layer_names(spec)) if isinstance(spec, SceneCNNSpec) else None


def table4_rows(
    name: str, spec: Any, complexity: Mapping[str, Any], scores: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Builds a network's rows of Table 4: float32, and float16 too if it is in the search space.

    Args:
        name: Name of the network.
        spec: Spec of the network.
        complexity: Complexity report of the network.
        scores: Scores of the variants `keras_float32` and `keras_float16`, from `score_variants`.
    """
    precisions = ("float32", "float16") if isinstance(spec, SceneCNNSpec) else ("float32",)
    measures = ("clip_accuracy", "accuracy", "loss")
    return [
        {
            "network": name,
            "precision": precision,
            "mib": complexity["bytes"][precision] / rules.KIB**2,
            **{measure: scores[f"keras_{precision}"][measure] for measure in measures},
        }
        for precision in precisions
    ]
