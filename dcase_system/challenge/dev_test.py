"""Scores every variant of a student on the dev-test list.

Nothing else reads the list, except the device-specific networks of a run (`device_scores`).
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from dcase_system.audio.clips import Data
from dcase_system.audio.store import Waveforms
from dcase_system.challenge.student.plan import SUBMITTED_PRECISION
from dcase_system.core.files import replacing, write_json
from dcase_system.corpora.corpus import SEPARATOR, device_groups
from dcase_system.edge import variants
from dcase_system.edge.check import compare
from dcase_system.models.precision import cast_weights
from dcase_system.models.signature import ModelSignature
from dcase_system.training import metrics
from dcase_system.training.multilabel import (
    average_precisions,
    chance_precision,
    clustered_intervals,
    mean_average_precision,
)
from dcase_system.training.rejection import Rejection, rejection_scores

SUBMITTED_FORM = "keras_float16"
_Scored = tuple[dict[str, dict[str, Any]], dict[str, Any]]
PREDICTIONS = "predictions.csv"
LAYOUT = 2  # version of the files that `write_scores` writes


def write_scores(
    folder: Path,
    network: keras.Model,
    edge: Path,
    signature: ModelSignature,
    data: Data,
    rejection: Rejection | None = None,
) -> None:
    """Writes `scores.json` for all variants and `predictions.csv` for the submitted one.

    Args:
        folder: Output folder.
        network: The student.
        edge: Folder of its exported variants.
        signature: Its signature, with the threshold for unknown sounds if there is one.
        data: Clips, with the dev-test list.
        rejection: How sounds of no class of interest are treated; None if they are not.
    """
    logits = variants.logits_of(variants.load_variants(network, edge), signature, data.test.audio)
    probabilities = {name: signature.probabilities(values) for name, values in logits.items()}
    scored = _tag_scores if data.several_labels else _scene_scores
    forms, others = scored(data, probabilities)
    for name, values in probabilities.items():
        forms[name] |= asdict(compare(values, probabilities[variants.REFERENCE]))
    submitted = probabilities[SUBMITTED_FORM]
    scores = {"submitted_form": SUBMITTED_FORM, "forms": forms, **others}
    if rejection is not None:
        scores["rejection"] = _rejection(data, submitted, rejection, signature.rejection_threshold)
    write_json(folder / "scores.json", scores)
    write_predictions(folder, submitted, data)


def submitted_probabilities(
    network: keras.Model, signature: ModelSignature, audio: Waveforms
) -> np.ndarray:
    """Computes probabilities (clips, classes) of a network's submitted variant."""
    submitted = {SUBMITTED_FORM: variants.keras_variant(cast_weights(network, SUBMITTED_PRECISION))}
    return signature.probabilities(variants.logits_of(submitted, signature, audio)[SUBMITTED_FORM])


def write_predictions(folder: Path, probabilities: np.ndarray, data: Data) -> None:
    """Writes `predictions.csv`: label, prediction and probabilities of every dev-test clip.

    Args:
        folder: Output folder.
        probabilities: (clips, classes) probabilities of the submitted variant.
        data: Clips, with the dev-test list.
    """
    test = data.test.clips
    table = pd.DataFrame(probabilities, columns=list(data.scenes))
    table.insert(0, "filename", test.filenames)
    table.insert(1, "identifier", test.locations)
    table.insert(2, "source_label", test.devices)
    if data.several_labels:
        names = np.array(data.scenes)
        table.insert(3, "labels", [SEPARATOR.join(names[row != 0]) for row in test.labels])
    else:
        table.insert(3, "scene_label", [data.scenes[label] for label in test.labels])
        decided = probabilities.argmax(axis=-1)
        table.insert(4, "predicted", [data.scenes[label] for label in decided])
    with replacing(folder / PREDICTIONS) as temporary:
        table.to_csv(temporary, sep="\t", index=False)


def _scene_scores(data: Data, probabilities: Mapping[str, np.ndarray]) -> _Scored:
    """Scores clips of one label: of every variant, and what is scored of the submitted one."""
    test = data.test.clips
    groups = device_groups(data.train.clips.devices, test.devices)
    forms = {
        name: asdict(metrics.score(values, test.labels, data.scenes, test.devices, groups))
        for name, values in probabilities.items()
    }
    submitted = probabilities[SUBMITTED_FORM].argmax(axis=-1)
    intervals = metrics.intervals(
        submitted == test.labels, test.labels, data.scenes, test.devices, groups, test.locations
    )
    classes = range(len(data.scenes))
    confusion = confusion_matrix(test.labels, submitted, labels=classes).tolist()
    return forms, {"intervals_95": intervals, "confusion": confusion}


def _tag_scores(data: Data, probabilities: Mapping[str, np.ndarray]) -> _Scored:
    """Scores clips of several labels: average precisions in [0, 1], and their intervals."""
    test = data.test.clips
    forms: dict[str, dict[str, Any]] = {}
    positives = (test.labels != 0).sum(axis=0).tolist()
    chance = chance_precision(test.labels)
    for name, values in probabilities.items():
        mean = mean_average_precision(values, test.labels)
        found = average_precisions(values, test.labels).tolist()
        of_class = zip(data.scenes, found, positives, strict=True)
        class_wise = {
            label: {"average_precision": value, "clips": clips}
            for label, value, clips in of_class
            if clips
        }
        forms[name] = {
            "overall": {"map": mean, "chance": chance, "clips": len(test)},
            "class_wise": class_wise,
        }
    overall, of_classes = clustered_intervals(
        probabilities[SUBMITTED_FORM], test.labels, test.locations
    ) or (None, [None] * len(positives))
    intervals = {
        "overall": overall,
        "class_wise": dict(zip(data.scenes, of_classes, strict=True)),
    }
    return forms, {"intervals_95": intervals}


def _rejection(
    data: Data, probabilities: np.ndarray, rejection: Rejection, threshold: float | None
) -> dict[str, Any]:
    labels, unknown = data.test.clips.labels, rejection.indices(data.scenes)
    scored: dict[str, Any] = {"classes": rejection.classes, "threshold": threshold}
    scored["without"] = rejection_scores(probabilities, labels, unknown)
    if threshold is not None:
        scored["with"] = rejection_scores(probabilities, labels, unknown, threshold)
    return scored
