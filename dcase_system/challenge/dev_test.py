"""Scores every variant of a student on the dev-test list.

Nothing else reads the list, except the device-specific networks of a run (`device_scores`).
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from dcase_system.audio.clips import Data
from dcase_system.audio.store import Waveforms
from dcase_system.challenge.student.plan import SUBMITTED_PRECISION, signature_of
from dcase_system.core.files import replacing, write_json
from dcase_system.corpora.corpus import device_groups
from dcase_system.edge import variants
from dcase_system.edge.check import compare
from dcase_system.models.precision import cast_weights
from dcase_system.models.signature import ModelSignature
from dcase_system.training import metrics

SUBMITTED_FORM = "keras_float16"
PREDICTIONS = "predictions.csv"
LAYOUT = 2  # version of the files that `write_scores` writes


def write_scores(folder: Path, network: keras.Model, edge: Path, data: Data) -> None:
    """Writes `scores.json` for all variants and `predictions.csv` for the submitted one.

    Args:
        folder: Output folder.
        network: The student.
        edge: Folder of its exported variants.
        data: Clips, with the dev-test list.
    """
    test = data.test.clips
    groups = device_groups(data.train.clips.devices, test.devices)
    signature = signature_of(data)
    logits = variants.logits_of(variants.load_variants(network, edge), signature, data.test.audio)
    probabilities = {name: signature.probabilities(values) for name, values in logits.items()}
    scores: dict[str, Any] = {"submitted_form": SUBMITTED_FORM, "forms": {}}
    for name, values in probabilities.items():
        scored = metrics.score(values, test.labels, data.scenes, test.devices, groups)
        compared = compare(values, probabilities[variants.REFERENCE])
        scores["forms"][name] = {**asdict(scored), **asdict(compared)}
    submitted = probabilities[SUBMITTED_FORM].argmax(axis=-1)
    hits = submitted == test.labels
    scores["intervals_95"] = metrics.intervals(
        hits, test.labels, data.scenes, test.devices, groups, test.locations
    )
    classes = range(len(data.scenes))
    scores["confusion"] = confusion_matrix(test.labels, submitted, labels=classes).tolist()
    write_json(folder / "scores.json", scores)
    write_predictions(folder, probabilities[SUBMITTED_FORM], data)


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
    table.insert(3, "scene_label", [data.scenes[label] for label in test.labels])
    predicted = probabilities.argmax(axis=-1)
    table.insert(4, "predicted", [data.scenes[label] for label in predicted])
    with replacing(folder / PREDICTIONS) as temporary:
        table.to_csv(temporary, sep="\t", index=False)
