"""Scores of whole recordings, from the predictions of their windows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dcase_system.core.files import write_json
from dcase_system.corpora.corpus import SEPARATOR
from dcase_system.sounds.prepare import WINDOWS
from dcase_system.training.metrics import clustered_interval_or_none, macro_score
from dcase_system.training.multilabel import clustered_intervals, mean_average_precision

RESULT = "recordings.json"


def score_recordings(run_dir: Path, corpus: Path) -> dict[str, Any]:
    """Scores the mean of each recording's window probabilities; writes `recordings.json`.

    Args:
        run_dir: Finished run directory.
        corpus: Prepared corpus that the run was trained on.

    Returns:
        `recordings`; `accuracy` (macro, in percent), or `map` in [0, 1] for several labels a
        recording; and `interval_95`, which resamples groups.
    """
    table = pd.read_csv(run_dir / "dev_test" / "predictions.csv", sep="\t", dtype={"filename": str})
    windows = pd.read_csv(corpus / WINDOWS, usecols=["filename", "recording"], dtype=str)
    table = table.merge(windows, on="filename", how="left", validate="one_to_one")
    fixed = {"filename", "identifier", "source_label", "scene_label", "predicted", "recording"}
    classes = [name for name in table.columns if name not in {*fixed, "labels"}]
    grouped = table.groupby("recording", sort=True)
    probabilities = grouped[classes].mean().to_numpy()
    groups = grouped["identifier"].first().tolist()
    if "labels" in table:
        texts = grouped["labels"].first()
        present = texts.str.get_dummies(sep=SEPARATOR).reindex(columns=classes, fill_value=0)
        labels = present.to_numpy()
        intervals = clustered_intervals(probabilities, labels, groups)
        scored = {
            "map": mean_average_precision(probabilities, labels),
            "interval_95": intervals and intervals[0],
        }
    else:
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        labels = pd.Index(classes).get_indexer(grouped["scene_label"].first())
        correct = probabilities.argmax(axis=1) == labels
        interval = clustered_interval_or_none(correct, labels, groups)
        accuracy = macro_score(probabilities, labels).accuracy
        scored = {"accuracy": accuracy, "interval_95": interval}
    result = {"recordings": len(labels), **scored}
    write_json(run_dir / RESULT, result)
    return result


def in_words(scores: dict[str, Any]) -> str:
    """Describes the result of `score_recordings` in one line."""
    score = f"{scores['accuracy']:.1f} %" if "accuracy" in scores else f"mAP {scores['map']:.1%}"
    text = f"whole recordings: {score} of {scores['recordings']:,} recordings"
    if scores["interval_95"]:
        low, high = np.array(scores["interval_95"]) * (1 if "accuracy" in scores else 100)
        text += f" (95 % interval {low:.1f} to {high:.1f})"
    return text
