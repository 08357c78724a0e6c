"""Students whose teachers answer in every step: all stages, and interrupted ones."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dcase_system.challenge.run import run_split
from dcase_system.challenge.student.plan import PUBLISHED, QATPlan, StudentPlan
from dcase_system.challenge.student.train import train_student
from dcase_system.core.errors import InputError
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.models import registry
from dcase_system.models.signature import ModelSignature, save_signature
from dcase_system.models.stored import load_network, save_network
from dcase_system.pruning.rounds import MagnitudeRound, PruningRound
from dcase_system.training import callbacks
from tests import toys

PLAN = StudentPlan(
    architecture=toys.NAME,
    epochs=2,
    batch_size=16,
    validation_fraction=0.3,
    teaching="consistent",
    mixup_alpha=0.3,
    ema_decay=0.5,
)
pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture(scope="module")
def ensemble(data, tmp_path_factory):
    """One teacher with random weights, and stored logits that it would not give."""
    folder = tmp_path_factory.mktemp("teacher") / "network"
    folder.mkdir()
    spec = toys.toy_student()
    save_network(folder, registry.build(spec), spec)
    signature = ModelSignature(data.scenes, PUBLISHED, data.train.audio.shape[0])
    save_signature(folder, signature)
    (folder / "stage.json").write_text(json.dumps({"key": "trained"}))
    logits = {"one": np.zeros((len(data.train), len(data.scenes)), np.float32)}
    return Ensemble("of one", ("one",), (), logits, networks={folder: "trained"})


def weights(folder):
    return load_network(folder).get_weights()


def log(run_dir):
    return (run_dir / "metrics.jsonl").read_text()


@pytest.mark.slow
def test_an_interrupted_training_ends_with_the_same_network(ensemble, data, tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train_student(whole, PLAN, data, ensemble)
    save = callbacks.Checkpoint.on_epoch_end

    def interrupt(saver, epoch, logs=None):
        save(saver, epoch, logs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(callbacks.Checkpoint, "on_epoch_end", interrupt)
        train_student(cut, PLAN, data, ensemble)
    train_student(cut, PLAN, data, ensemble)
    for one, other in zip(weights(whole / "student"), weights(cut / "student"), strict=True):
        np.testing.assert_array_equal(one, other)
    assert log(whole) == log(cut) and "val_accuracy" in log(whole)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["channels", "magnitude"])
def test_every_stage_is_taught(kind, ensemble, data, tmp_path):
    pruning = {
        "channels": PruningRound(ratio=0.5, updates=2, epochs=1, tuning_epochs=1),
        "magnitude": MagnitudeRound(sparsity=0.6, updates=2, epochs=1),
    }[kind]
    others = {"ensemble": ensemble, "formats": ("int8",), "qat": QATPlan(epochs=1)}
    plan, runs = replace(PLAN, epochs=1, rounds=(pruning,), ema_decay=0.0), {}
    for teaching in ("consistent", "stored"):
        runs[teaching] = tmp_path / teaching
        done = run_split(runs[teaching], replace(plan, teaching=teaching), data, **others)
        assert done.settings["plan"]["teaching"] == teaching
    names = ["wide.", "pruned1.", "", "aware."] if kind == "channels" else ["wide.", "", "aware."]
    for name in names:
        one, other = (
            json.loads((run / f"{name}metrics.jsonl").read_text())["loss"] for run in runs.values()
        )
        assert one != other
    with pytest.raises(InputError, match=r"plan\.teaching is stored there and consistent here"):
        run_split(runs["stored"], plan, data, **others)
