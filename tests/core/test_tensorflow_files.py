"""Folders whose names TensorFlow takes for glob patterns."""

import tempfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.core.tensorflow_files import plain_path
from dcase_system.edge import tflite
from dcase_system.edge.tflite_model import TFLiteModel

PATTERNS = ["lr=[1,2]", "back\\slash", "any*", "what?", "[", "plain"]
SHAPE = (4, 3, 1)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    features = keras.Input(SHAPE)
    return keras.Model(features, keras.layers.Dense(2)(keras.layers.Flatten()(features)))


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(1, *SHAPE)).astype(np.float32)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_network_is_saved_read_and_converted_whatever_its_folder_is_called(
    network, features, tmp_path, name
):
    folder = tmp_path / name / "saved_model"
    tflite.save_model(network, folder, SHAPE, (1,))
    with plain_path(folder) as plain:
        saved = tf.saved_model.load(str(plain))
    expected = network(features).numpy()
    np.testing.assert_allclose(saved.serve(features).numpy(), expected, rtol=1e-5)
    (content,) = tflite.converted(folder, features, ("float32",)).values()
    (tmp_path / "network.tflite").write_bytes(content)
    found = TFLiteModel(tmp_path / "network.tflite")(features)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert {path.name for path in tmp_path.iterdir()} == {name, "network.tflite"}


def test_temporary_folders_may_be_called_so_too(network, features, tmp_path, monkeypatch):
    (tmp_path / "job[1]").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "job[1]"))
    tflite.export(network, tmp_path, features, ("float32",))
    tflite.converted_function(lambda x: 2 * x, (1, 3), "x")
    assert (tmp_path / "student_float32.tflite").is_file()
    assert list((tmp_path / "job[1]").iterdir()) == []


def test_a_folder_in_a_working_folder_that_is_called_so(network, features, tmp_path, monkeypatch):
    (tmp_path / "here?").mkdir()
    monkeypatch.chdir(tmp_path / "here?")
    tflite.save_model(network, "saved_model", SHAPE, (1,))
    assert tflite.converted("saved_model", features, ("float32",))["float32"]


def test_nothing_is_left_behind_of_a_path_in_use_when_writing_fails(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    (tmp_path / "[1]").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with pytest.raises(OSError, match="full"), plain_path(tmp_path / "[1]") as plain:
        (plain / "file").write_text("here")
        raise OSError("full")
    assert list((tmp_path / "temporary").iterdir()) == []
    assert (tmp_path / "[1]" / "file").read_text() == "here"
    with plain_path(tmp_path / "temporary") as plain:
        assert plain == tmp_path / "temporary"  # no link where none is needed
