"""The device-specific networks of a run: scored, counted, and used for the evaluation clips."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from dcase_system.audio.clips import SAMPLE_RATE, Data
from dcase_system.challenge.device_scores import (
    with_device_networks,
    write_device_costs,
    write_device_scores,
)
from dcase_system.challenge.student.devices import folder_of
from dcase_system.core.files import fingerprint
from dcase_system.models.signature import ModelSignature
from dcase_system.models.stored import load_network
from dcase_system.runs import stages
from dcase_system.submission.outputs import read_output, write_output

_LOG = logging.getLogger(__name__)
SCORES, COSTS = "devices/scores.json", "devices/complexity.json"
_EVALUATION = "devices_evaluation"
_OUTPUT = "output.csv"


@dataclass(frozen=True)
class DeviceResults:
    """Results of the device-specific networks of a run.

    Attributes:
        scores: Content of `devices/scores.json`.
        complexity: Content of `devices/complexity.json`.
        output: Evaluation output file, or None if the devices of the evaluation clips are unknown.
    """

    scores: dict[str, Any]
    complexity: dict[str, Any]
    output: Path | None


def apply_device_networks(
    run_dir: Path,
    general: keras.Model,
    keys: Mapping[str, str],
    dev_test: str,
    signature: ModelSignature,
    data: Data,
    output: Path,
) -> None:
    """Scores and counts the device-specific networks, and predicts the evaluation clips.

    Args:
        run_dir: Run directory, with the general network's predictions.
        general: General network.
        keys: Key of the stage of each device's network.
        dev_test: Key of the stage with the general network's predictions.
        signature: Signature of all networks.
        data: Clips.
        output: Output file of the general network for the evaluation clips, if there are any.
    """
    networks = {device: load_network(folder_of(run_dir, device)) for device in keys}

    def score(folder: Path) -> None:
        write_device_scores(folder, run_dir / "dev_test", networks, signature, data)
        write_device_costs(folder, general, networks, data.train.audio.shape[0] / SAMPLE_RATE)

    inputs = {"networks": dict(keys), "dev_test": dev_test}
    stages.run_stage((run_dir / SCORES).parent, inputs, score)
    audio = data.evaluation_audio
    if audio is None:
        return
    if not data.evaluation_devices:
        _LOG.warning(
            "the evaluation list has no column device_id, as lists have since 2025: the "
            "device-specific networks do not predict its clips"
        )
        return

    def predict(folder: Path) -> None:
        probabilities = with_device_networks(
            read_output(output, data.scenes).probabilities,
            networks,
            data.evaluation_devices,
            signature,
            audio,
        )
        path = folder / _OUTPUT
        write_output(path, data.evaluation, probabilities, data.scenes, keep_folder=True)

    inputs = {
        "networks": dict(keys),
        "general": stages.read_stage(output.parent)["key"],
        "devices": fingerprint(data.evaluation_devices),
    }
    stages.run_stage(run_dir / _EVALUATION, inputs, predict)


def evaluation_output(run_dir: Path) -> Path | None:
    """Returns the output file of the networks that were scored; None if there is none."""

    def networks(stage: Path) -> Any:
        inputs = stages.read_stage(stage).get("inputs")
        return inputs.get("networks") if isinstance(inputs, dict) else None

    predicted = networks(run_dir / _EVALUATION)
    if predicted is None or predicted != networks((run_dir / SCORES).parent):
        return None
    return run_dir / _EVALUATION / _OUTPUT
