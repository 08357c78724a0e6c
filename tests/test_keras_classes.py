"""A saved network is loaded by Keras alone, whatever module its layers are of."""

import ast
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from dcase_system.distillation.losses import DistillationLoss, PackedAccuracy
from dcase_system.keras_classes import CLASSES
from dcase_system.models import registry
from dcase_system.models.stored import WEIGHTS, save_network
from dcase_system.training.optimizers import Adam
from dcase_system.training.schedule import ExponentialLinear
from tests.commands import ROOT
from tests.toys import toy_student

LOAD = """
import keras, numpy, sys
model = keras.models.load_model(sys.argv[1])
assert model.optimizer.l2 == 0.25 and type(model.loss).__name__ == "DistillationLoss"
numpy.save(sys.argv[2], model(numpy.load(sys.argv[3])))
"""
BEFORE = """
import importlib.util, sys
import dcase_system
assert not {"keras", "tensorflow"} & set(sys.modules), "a command that needs neither would wait"
importlib.util.find_spec("keras")  # some programs look whether it is there
"""
BEHIND = "import tensorflow, dcase_system"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A folder with a network compiled for training, its input, and its output."""
    folder = tmp_path_factory.mktemp("stored")
    spec = replace(toy_student(), input_shape=(32, 41), classes=4)
    network = registry.build(spec)
    schedule = ExponentialLinear(1e-3, 2, 3, 1, 2, 0.1)
    network.compile(Adam(schedule, l2=0.25), DistillationLoss(), metrics=[PackedAccuracy()])
    features = np.random.default_rng(0).normal(size=(3, 32, 41, 1)).astype(np.float32)
    network(features, training=True)
    save_network(folder, network, spec)
    np.save(folder / "features.npy", features)
    np.save(folder / "logits.npy", network(features))
    return folder


@pytest.mark.parametrize("imported", [BEFORE, pytest.param(BEHIND, marks=pytest.mark.slow)])
def test_keras_loads_a_student_after_one_import(stored, tmp_path, imported):
    files = [stored / WEIGHTS, tmp_path / "logits.npy", stored / "features.npy"]
    done = subprocess.run(
        [sys.executable, "-c", imported + LOAD, *map(str, files)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found, expected = np.load(tmp_path / "logits.npy"), np.load(stored / "logits.npy")
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_a_class_takes_its_stand_in_s_place():
    assert keras.saving.get_registered_object("dcase_system>Adam") is Adam


def test_every_registered_class_has_a_stand_in():
    found = {
        (".".join(path.relative_to(ROOT / "dcase_system").with_suffix("").parts), node.name)
        for path in (ROOT / "dcase_system").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if ast.unparse(decorator).startswith("keras.saving.register_keras_serializable")
    }
    assert len(found) > 15
    assert found == {(module, name) for module, names in CLASSES.items() for name in names}
