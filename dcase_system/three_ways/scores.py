"""Scores of the networks on the dev-test list, and their differences."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system.audio.clips import Data
from dcase_system.challenge.dev_test import submitted_probabilities
from dcase_system.challenge.student.plan import SUBMITTED_PRECISION
from dcase_system.complexity.counter import count
from dcase_system.core.files import read_json, write_json
from dcase_system.models import registry
from dcase_system.models.signature import load_signature
from dcase_system.models.stored import SPEC, load_network
from dcase_system.runs import stages
from dcase_system.training.metrics import clustered_interval_or_none, macro_score

_SCORES = "scores.json"


def scored(run_dir: Path, network: Path, data: Data) -> dict[str, Any]:
    """Scores a stored network on the dev-test list at the submitted precision; computed once.

    Args:
        run_dir: Run directory.
        network: Folder of the network.
        data: Clips, of one label each.

    Returns:
        Accuracy with its 95 % interval, log loss, costs, and `correct`: whether each clip is.
    """

    def work(folder: Path) -> None:
        model = load_network(network)
        spec, signature = registry.read_spec(network / SPEC), load_signature(network)
        probabilities = submitted_probabilities(model, signature, data.test.audio)
        found = macro_score(probabilities, data.test.clips.labels)
        correct = (probabilities.argmax(axis=-1) == data.test.clips.labels).astype(int)
        counted = count(registry.at_fixed_length(model, spec))
        scores = {
            "accuracy": found.accuracy,
            "interval": _interval(correct, data),
            "logloss": found.logloss,
            "params": counted.params,
            "macs": counted.macs,
            "bytes": counted.bytes(SUBMITTED_PRECISION),
            "correct": correct.tolist(),
        }
        write_json(folder / _SCORES, scores)

    folder = run_dir / "scores" / network.name
    inputs = {"network": stages.read_stage(network)["key"], "clips": data.test.key}
    stages.run_stage(folder, inputs, work)
    return read_json(folder / _SCORES)


def difference(
    ahead: Sequence[dict[str, Any]], behind: Sequence[dict[str, Any]], data: Data
) -> dict[str, Any]:
    """Mean difference of two ways in accuracy over the seeds, with its 95 % interval.

    The interval resamples recordings, which all seeds share.

    Args:
        ahead: `scored` of one way, a row for each seed.
        behind: `scored` of the other.
        data: Clips.
    """
    pairs = list(zip(ahead, behind, strict=True))
    gained = np.mean(
        [np.subtract(one["correct"], other["correct"]) for one, other in pairs], axis=0
    )
    points = float(np.mean([one["accuracy"] - other["accuracy"] for one, other in pairs]))
    return {"difference": points, "interval": _interval(gained, data)}


def _interval(correct: np.ndarray, data: Data) -> tuple[float, float] | None:
    return clustered_interval_or_none(correct, data.test.clips.labels, data.test.clips.locations)
