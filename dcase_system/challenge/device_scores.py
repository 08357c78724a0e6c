"""What the device-specific networks of a run predict and cost, beside the general network."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from dcase_system.audio.clips import Data
from dcase_system.audio.store import Waveforms
from dcase_system.challenge.dev_test import (
    PREDICTIONS,
    SUBMITTED_FORM,
    submitted_probabilities,
    write_predictions,
)
from dcase_system.challenge.student.plan import SUBMITTED_PRECISION
from dcase_system.complexity import rules
from dcase_system.core.files import write_json
from dcase_system.corpora.corpus import device_groups
from dcase_system.models.signature import ModelSignature
from dcase_system.training import metrics


def with_device_networks(
    general: np.ndarray,
    networks: Mapping[str, keras.Model],
    devices: Sequence[str],
    signature: ModelSignature,
    audio: Waveforms,
) -> np.ndarray:
    """Returns probabilities (clips, classes), each from the network of the clip's device.

    Args:
        general: (clips, classes) probabilities of the general network, for the other devices.
        networks: Networks by device.
        devices: Device of each clip.
        signature: Signature of all networks.
        audio: Waveforms of the clips.
    """
    probabilities = general.copy()
    for device, network in networks.items():
        rows = np.flatnonzero(np.array(devices) == device)
        if rows.size:
            probabilities[rows] = submitted_probabilities(network, signature, audio.take(rows))
    return probabilities


def write_device_scores(
    folder: Path,
    dev_test: Path,
    networks: Mapping[str, keras.Model],
    signature: ModelSignature,
    data: Data,
) -> None:
    """Writes `scores.json` and `predictions.csv`: general network against device-specific ones.

    Both are scored at the submitted precision. The intervals of the differences are paired (both
    on the same resampled recordings), like those between runs.

    Args:
        folder: Output folder.
        dev_test: Folder of the general network's predictions, which are not computed again.
        networks: Networks by device.
        signature: Signature of all networks.
        data: Clips, with the dev-test list.
    """
    test, scenes = data.test.clips, data.scenes
    table = pd.read_csv(dev_test / PREDICTIONS, sep="\t", float_precision="round_trip")
    general = table[list(scenes)].to_numpy()
    specific = with_device_networks(general, networks, test.devices, signature, data.test.audio)
    groups = device_groups(data.train.clips.devices, test.devices)

    def score(values: np.ndarray) -> dict[str, Any]:
        return asdict(metrics.score(values, test.labels, scenes, test.devices, groups))

    before, after = score(general), score(specific)
    change = (specific.argmax(axis=-1) == test.labels).astype(float)
    change -= general.argmax(axis=-1) == test.labels
    intervals = metrics.intervals(change, test.labels, scenes, test.devices, groups, test.locations)
    differences: dict[str, Any] = {
        "overall": _difference(before["overall"], after["overall"], intervals["overall"])
    }
    for part in ("group_wise", "device_wise"):
        differences[part] = {
            name: _difference(before[part][name], after[part][name], intervals[part][name])
            for name in before[part]
        }
    scores = {
        "variant": SUBMITTED_FORM,
        "own_networks": sorted(networks),
        "general": before,
        "device_specific": after,
        "differences": differences,
    }
    write_json(folder / "scores.json", scores)
    write_predictions(folder, specific, data)


def _difference(
    general: Mapping[str, float],
    specific: Mapping[str, float],
    interval: tuple[float, float] | None,
) -> dict[str, float | None]:
    """Returns the difference of two accuracies in points, and its 95 % interval if it has one."""
    low, high = interval or (None, None)
    difference = specific["accuracy"] - general["accuracy"]
    return {"difference": difference, "low": low, "high": high}


def write_device_costs(
    folder: Path, general: keras.Model, networks: Mapping[str, keras.Model], seconds: float
) -> None:
    """Writes `complexity.json`: each network's counts, and verdicts by the rules of 2025.

    Args:
        folder: Output folder.
        general: General network.
        networks: Networks by device.
        seconds: Length of a clip in seconds.
    """

    def costs(network: keras.Model) -> dict[str, Any]:
        report = rules.report(network, SUBMITTED_PRECISION, seconds)
        counts = {key: report[key] for key in ("params", "macs", "bytes", "precision")}
        return counts | {"rules": report["rules"][rules.EDITION_2025]}

    of_devices = {device: costs(network) for device, network in networks.items()}
    write_json(folder / "complexity.json", {"general": costs(general), "devices": of_devices})
