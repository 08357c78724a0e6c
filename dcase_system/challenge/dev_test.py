"""Scores every variant of a student on the dev-test list; nothing else reads the list."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import pandas as pd
from sklearn.metrics import confusion_matrix

from dcase_system.audio.clips import Data
from dcase_system.challenge.student.plan import signature_of
from dcase_system.core.files import replacing, write_json
from dcase_system.corpora.corpus import device_groups
from dcase_system.edge import variants
from dcase_system.edge.check import compare
from dcase_system.training import metrics

SUBMITTED_FORM = "keras_float16"
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
    table = pd.DataFrame(probabilities[SUBMITTED_FORM], columns=list(data.scenes))
    table.insert(0, "filename", test.filenames)
    table.insert(1, "identifier", test.locations)
    table.insert(2, "source_label", test.devices)
    table.insert(3, "scene_label", [data.scenes[label] for label in test.labels])
    table.insert(4, "predicted", [data.scenes[label] for label in submitted])
    with replacing(folder / "predictions.csv") as temporary:
        table.to_csv(temporary, sep="\t", index=False)
