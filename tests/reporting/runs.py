"""A student's run directory as the pipeline leaves it, with numbers of any kind in it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from dcase_system.complexity import rules
from dcase_system.models import registry
from dcase_system.training import metrics

SCENES = tuple(f"scene_{letter}" for letter in "abcdefghij")
DEVICES = ("a", "s1", "s2", "s4")
GROUPS = {"real": ("a",), "seen": ("s1", "s2"), "unseen": ("s4",)}
FORMS = ("keras_float32", "keras_float16", "tflite_float16", "tflite_int8")


def predictions(
    accuracy: float, scenes=SCENES, devices=DEVICES, recordings: int = 40, seed: int = 0
) -> pd.DataFrame:
    """One clip of each recording on each device, right with this probability."""
    random = np.random.default_rng(seed)
    rows = []
    for recording in range(recordings):
        scene = scenes[recording % len(scenes)]
        for device in devices:
            right = random.random() < accuracy
            other = scenes[(recording + 1 + random.integers(len(scenes) - 1)) % len(scenes)]
            rows.append(
                {
                    "filename": f"audio/{scene}-{recording}-{device}.wav",
                    "identifier": f"place-{recording}",
                    "source_label": device,
                    "scene_label": scene,
                    "predicted": scene if right else other,
                }
            )
    return pd.DataFrame(rows)


def scores(table: pd.DataFrame, scenes=SCENES) -> dict[str, Any]:
    """Returns scores as `dev_test.write_scores` writes them."""
    labels = np.array([scenes.index(scene) for scene in table.scene_label])
    predicted = np.array([scenes.index(scene) for scene in table.predicted])
    groups = {
        name: members for name, members in GROUPS.items() if set(members) & set(table.source_label)
    }

    probabilities = np.full((len(table), len(scenes)), 0.5 / len(scenes))
    probabilities[np.arange(len(table)), predicted] += 0.5
    devices = list(table.source_label)
    variant = asdict(metrics.score(probabilities, labels, scenes, devices, groups))
    variant["agreement"] = 99.4
    return {
        "submitted_form": "keras_float16",
        "forms": dict.fromkeys(FORMS, variant),
        "intervals_95": metrics.intervals(
            labels == predicted,
            labels,
            scenes,
            devices,
            groups,
            list(table.identifier),
        ),
        "confusion": confusion_matrix(labels, predicted, labels=range(len(scenes))).tolist(),
    }


_COMPLEXITY: dict[str, Any] = {}


def complexity() -> dict[str, Any]:
    """That of S2, which is over the limit of bytes."""
    if not _COMPLEXITY:
        _COMPLEXITY.update(rules.report(registry.build(registry.named_spec("sscp_mobile_s2"))))
    return _COMPLEXITY


def write_run(
    folder: Path,
    accuracy: float = 0.7,
    *,
    scenes=SCENES,
    devices=DEVICES,
    recordings: int = 40,
    seed: int = 0,
) -> Path:
    """Writes all files that a report reads."""
    table = predictions(accuracy, scenes, devices, recordings, seed)
    teacher = {
        "accuracy": 74.2,
        "logloss": 0.75,
        "calibration_error": 5.0,
        "entropy": 0.99,
        "agreement": 87.7,
    }
    contents: dict[str, Any] = {
        "config.json": {
            "command": ["recipes/split25.py", "--system=S2", "--data_dir=my clips"],
            "settings": {
                "kind": "split",
                "system": "S2",
                "split": 25,
                "stages": ["wide", "pruned1", "student"],
                "scenes": list(scenes),
                "steps_per_epoch": 10,
                "plan": {
                    "architecture": "sscp_mobile_96",
                    "seed": 3,
                    "epochs": 5,
                    "rounds": [{"ratio": 0.67, "epochs": 2, "tuning_epochs": 3}],
                },
                "teachers": {"key": "k", "members": ["1-passt"]},
            },
            "versions": {"python": "3.11.7", "keras": "3.15.1"},
            "code": {"commit": "c0ffee", "dirty": True},
        },
        "dev_test/scores.json": scores(table, scenes),
        "complexity.json": complexity(),
        "sparsity.json": {
            "sparsity": 0.25,
            "float16_bytes": 1_000,
            "nonzero_float16_bytes": 750,
            "zipped_float16_bytes": 700,
        },
        "teachers.json": {"train": {"1-passt": teacher, "ensemble": teacher}},
        **{
            f"edge/student_{name}.json": {
                "file": f"student_{name}.tflite",
                "bytes": size,
                "sha256": "ab" * 32,
                "format": name,
                "takes": "features",
                "quantised": "after training" if name == "int8" else None,
                "calibration_clips": 200 if name == "int8" else None,
                "least_tensorflow_lite": "1.14.0",
                "output": {
                    "type": "int8" if name == "int8" else "float32",
                    "meaning": "logits, one for each label, not probabilities: softmax over the "
                    "labels gives probabilities that sum to 1",
                    **({"scale": 0.0471, "zero_point": -3} if name == "int8" else {}),
                },
                "contract": {
                    "labels": list(scenes),
                    "samples": 32_000,
                    "channels": 1,
                    "front_end": {"sample_rate": 32_000},
                },
            }
            for name, size in (("float16", 149_036), ("int8", 138_352))
        },
    }
    epochs = [
        {"epoch": epoch, "loss": 1 / epoch, "accuracy": 0.1 * epoch, "val_accuracy": 10.0 * epoch}
        for epoch in range(1, 6)
    ]
    lines = {
        "wide.metrics.jsonl": epochs,
        "pruned1.metrics.jsonl": epochs[:2],
        "pruned1.pruning.jsonl": [
            {"step": 5, "ratio": 0.25, "val_accuracy": 30.0},
            {"step": 15, "ratio": 0.67, "val_accuracy": 20.0},
        ],
        "metrics.jsonl": epochs[:3],
    }
    texts = {name: json.dumps(content) for name, content in contents.items()}
    texts |= {name: "".join(f"{json.dumps(row)}\n" for row in rows) for name, rows in lines.items()}
    texts["dev_test/predictions.csv"] = table.to_csv(sep="\t", index=False)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
