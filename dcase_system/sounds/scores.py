"""Scores of whole recordings, from the predictions of their windows."""

from pathlib import Path
from typing import Any

import pandas as pd

from dcase_system.core.files import write_json
from dcase_system.sounds.prepare import WINDOWS
from dcase_system.training.metrics import clustered_interval, macro_score

RESULT = "recordings.json"


def score_recordings(run_dir: Path, corpus: Path) -> dict[str, Any]:
    """Scores the mean of each recording's window probabilities; writes `recordings.json`.

    Args:
        run_dir: Finished run directory.
        corpus: Prepared corpus that the run was trained on.

    Returns:
        `recordings`, `accuracy` (macro, in percent) and `interval_95`, which resamples groups.
    """
    table = pd.read_csv(run_dir / "dev_test" / "predictions.csv", sep="\t", dtype={"filename": str})
    windows = pd.read_csv(corpus / WINDOWS, usecols=["filename", "recording"], dtype=str)
    table = table.merge(windows, on="filename", how="left", validate="one_to_one")
    fixed = {"filename", "identifier", "source_label", "scene_label", "predicted", "recording"}
    classes = [name for name in table.columns if name not in fixed]
    grouped = table.groupby("recording", sort=True)
    probabilities = grouped[classes].mean().to_numpy()
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = pd.Index(classes).get_indexer(grouped["scene_label"].first())
    groups = grouped["identifier"].first().tolist()
    interval = None
    if len(set(groups)) > 1:
        interval = clustered_interval(probabilities.argmax(axis=1) == labels, labels, groups)
    result = {
        "recordings": len(labels),
        "accuracy": macro_score(probabilities, labels).accuracy,
        "interval_95": interval,
    }
    write_json(run_dir / RESULT, result)
    return result


def in_words(scores: dict[str, Any]) -> str:
    """Describes the result of `score_recordings` in one line."""
    text = f"whole recordings: {scores['accuracy']:.1f} % of {scores['recordings']:,} recordings"
    if scores["interval_95"]:
        low, high = scores["interval_95"]
        text += f" (95 % interval {low:.1f} to {high:.1f})"
    return text
