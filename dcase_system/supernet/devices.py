"""Exports selected networks for devices: `.tflite` files with their scores and costs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dcase_system.complexity import rules
from dcase_system.core.files import read_json, write_json
from dcase_system.core.processors import usable_cores
from dcase_system.edge import variants
from dcase_system.edge.checked_export import export_checked, sample_calibration_rows
from dcase_system.edge.tflite import file_name
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models import registry
from dcase_system.models.signature import load_signature
from dcase_system.models.stored import SPEC, load_network
from dcase_system.runs import stages
from dcase_system.supernet.trainer import StageArtifact, Trainer
from dcase_system.training.multilabel import mean_average_precision

COMPLEXITY, SCORES = "complexity.json", "scores.json"
_CALIBRATION_SEED = 0


def export_network(
    trainer: Trainer, name: str, network: StageArtifact, formats: Sequence[str]
) -> list[dict[str, Any]]:
    """Exports a stored network and scores its `.tflite` files on the test clips.

    The run's folder `edge_<name>` receives `ofa_<name>_<format>.tflite` (scored),
    `ofa_<name>_<format>_waveform.tflite` (the same behind the front end), their cards,
    `complexity.json` and `scores.json`.

    Args:
        trainer: Trainer of the run.
        name: Name of the constraint that the network was selected for, such as `0.8M`.
        network: A network of the run.
        formats: Formats of the files.

    Returns:
        For each format, the paths of its two files below the run directory, their bytes, and the
        mean average precision.

    Raises:
        InputError: A file deviates too far from the network.
    """
    folder, data, prefix = trainer.run_dir / f"edge_{name}", trainer.data, f"ofa_{name}"

    def work(target: Path) -> None:
        model, signature = load_network(network.folder), load_signature(network.folder)
        rows = sample_calibration_rows(len(data.train), _CALIBRATION_SEED)
        clips, names = data.train.audio.take(rows), [f"training clip {row}" for row in rows]
        export_checked(model, signature, clips, names, target, formats, name=prefix)
        fixed = registry.at_fixed_length(model, registry.read_spec(network.folder / SPEC))
        write_json(target / COMPLEXITY, rules.report(fixed))
        files = {one: target / file_name(one, network=prefix) for one in formats}
        threads = usable_cores()
        loaded = {
            one: variants.ModelVariant(TFLiteModel(path, threads), format=one)
            for one, path in files.items()
        }
        logits = variants.logits_of(loaded, signature, data.test.audio)
        scores = []
        for one, path in files.items():
            waveform = target / file_name(one, "waveform", prefix)
            scores.append(
                {
                    "format": one,
                    "map": mean_average_precision(logits[one], data.test.labels),
                    **{"file": f"{folder.name}/{path.name}", "bytes": path.stat().st_size},
                    "waveform_file": f"{folder.name}/{waveform.name}",
                    "waveform_bytes": waveform.stat().st_size,
                }
            )
        write_json(target / SCORES, scores)

    inputs = {"network": network.key, "formats": list(formats), "clips": data.test.key}
    stages.run_stage(folder, inputs, work)
    return read_json(folder / SCORES)
