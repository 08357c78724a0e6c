"""Final training of a selected network: from scratch, then exported and scored as submitted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcase_system.core.files import read_json
from dcase_system.edge import variants
from dcase_system.edge.checked_export import export_checked
from dcase_system.runs import stages
from dcase_system.scene_search.clips import SceneData
from dcase_system.scene_search.scratch import (
    SCORED,
    SCORES,
    score_variants,
    submitted_network,
    train_from_scratch,
)
from dcase_system.scene_search.training import ScenePlan, predict_clips
from dcase_system.submission.outputs import write_output
from dcase_system.submission.task1b import counted_bytes

OUTPUT = Path("evaluation") / "output.csv"
_CALIBRATION_SEGMENTS = 200
_FILES = "scene"  # their names begin so


def train_chosen(folder: Path, spec: Any, plan: ScenePlan, data: SceneData) -> dict[str, Any]:
    """Trains on the whole training list, exports, scores the dev-test list and predicts.

    Args:
        folder: Output folder for `network`, `edge`, `dev_test`, `evaluation` and `complexity.json`;
            training curves go to the run's TensorBoard folder beside it.
        spec: Spec of the network.
        plan: Hyper-parameters.
        data: Clips.

    Returns:
        Its `complexity`, the `size_2020` that the rules of Task 1B count, and the `scores` of its
        variants; the Keras network at float16 is submitted.

    Raises:
        InputError: Training diverges.
    """
    trained = train_from_scratch(folder, spec, plan, data)
    submitted, complexity = submitted_network(folder, trained.network)
    edge = stages.run_stage(
        folder / "edge",
        {"network": trained.key, "classes": data.classes},
        lambda target: _export(target, trained.network, data),
    )
    stages.run_stage(
        folder / "dev_test",
        {"edge": edge, "clips": data.test.key, "measures": SCORED},
        lambda target: score_variants(target, _on_features(trained.network, folder / "edge"), data),
    )
    _write_model_card(folder, data.warnings)
    features = data.evaluation_features
    if features is not None:
        stages.run_stage(
            folder / OUTPUT.parent,
            {"network": trained.key, "clips": features.key},
            lambda target: write_output(
                target / OUTPUT.name,
                data.evaluation,
                predict_clips(submitted, features.segments(data.statistics)),
                data.classes,
            ),
        )
    return {
        "complexity": complexity,
        "size_2020": counted_bytes(complexity),
        "scores": read_json(folder / "dev_test" / SCORES),
    }


def _write_model_card(folder: Path, warnings: Sequence[str]) -> None:
    from dcase_system.reporting.model_card import write_model_card  # imports matplotlib

    write_model_card(folder, warnings=warnings)


def _export(target: Path, network: keras.Model, data: SceneData) -> None:
    train, signature = data.train, data.signature
    wanted = -(-_CALIBRATION_SEGMENTS // signature.segments)
    rows = np.linspace(0, len(train.audio) - 1, min(wanted, len(train.audio))).astype(int)
    names = [train.clips.filenames[row] for row in rows]
    export_checked(network, signature, train.audio.take(rows), names, target, name=_FILES)


def _on_features(network: keras.Model, folder: Path) -> dict[str, variants.ModelVariant]:
    """Returns the variants that take features, which are already computed for the list."""
    written = variants.load_variants(network, folder, _FILES)
    return {name: variant for name, variant in written.items() if variant.takes == "features"}
