"""The pruner as it is on networks it was not made for."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.complexity.counter import count
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models import registry
from dcase_system.models.graph.read import read_graph
from dcase_system.pruning.choose import uniform_kept
from dcase_system.pruning.costs import Costs
from dcase_system.pruning.importance import l1_importance
from dcase_system.pruning.masks import kept_by_masks, masked_model, set_masks
from dcase_system.pruning.slim import slim
from tests.pruning.networks import (
    assert_masked_is_slim,
    calibrate,
    dense_net,
    random_inputs,
    randomise,
)

APPLICATIONS = {
    "MobileNet": {"input_shape": (64, 64, 3)},
    "MobileNetV2": {"input_shape": (64, 64, 3)},
    "MobileNetV3Small": {"input_shape": (64, 64, 3)},
    "ResNet50": {"input_shape": (64, 64, 3)},
    "DenseNet121": {"input_shape": (64, 64, 3)},
    "EfficientNetV2B0": {"input_shape": (64, 64, 3)},
    "Xception": {"input_shape": (96, 96, 3)},
    "InceptionV3": {"input_shape": (128, 128, 3)},
    "ResNet50V2": {"input_shape": (64, 64, 3)},
    "NASNetMobile": {"input_shape": (64, 64, 3)},
}


def application(name: str, **options) -> keras.Model:
    """With random weights, and logits: a softmax would hide differences."""
    build = getattr(keras.applications, name)
    model = build(weights=None, classes=10, classifier_activation=None, **options)
    return randomise(model)


def assert_prunes(model: keras.Model, ratio: float, folder: Path) -> keras.Model:
    """Hidden is removed; the smaller network costs less, saves and loads."""
    kept = uniform_kept(l1_importance(model), ratio)
    small = assert_masked_is_slim(model, kept, 1e-4)
    before, after, graph = count(model), count(small), read_graph(model)
    assert after.params < (1 - ratio) * before.params
    assert after.macs < (1 - ratio) * before.macs
    widths = np.array([len(kept[group.name]) for group in graph.groups])
    assert Costs(graph)(widths) == (after.params, after.macs)
    x = random_inputs(small, 8)[:3]
    small.save(folder / "small.keras")
    np.testing.assert_allclose(
        keras.saving.load_model(folder / "small.keras")(x), small(x), atol=1e-5
    )
    return small


def assert_converts(model: keras.Model, folder: Path) -> None:
    """The `.tflite` file gives what Keras gives."""
    signature = [tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)]
    model.export(folder / "saved", input_signature=signature, verbose=False)
    content = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved")).convert()
    (folder / "small.tflite").write_bytes(content)
    x = random_inputs(model, 8)[:3]
    expected = np.asarray(model(x))
    converted = TFLiteModel(folder / "small.tflite")(x)
    assert np.abs(converted - expected).max() <= 1e-3 * max(1.0, np.abs(expected).max())


@pytest.mark.slow
def test_a_small_mobilenet_v2(tmp_path):
    model = application("MobileNetV2", alpha=0.35, input_shape=(32, 32, 3))
    assert_prunes(model, 0.3, tmp_path)


def test_a_small_network_converts(tmp_path):
    model = randomise(dense_net())
    assert_converts(slim(model, uniform_kept(l1_importance(model), 0.5)), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0.3, 0.5])
@pytest.mark.parametrize("name", APPLICATIONS)
def test_networks_of_keras(name, ratio, tmp_path):
    model = application(name, **APPLICATIONS[name])
    assert_converts(assert_prunes(model, ratio, tmp_path), tmp_path)


def assert_probabilities_stay(name: str, **options) -> None:
    """With its softmax, whose probabilities are neither all alike nor zeros and ones."""
    build = getattr(keras.applications, name)
    model = randomise(build(weights=None, classes=10, **options))
    masked, x = masked_model(model), random_inputs(model, 8)
    set_masks(masked, uniform_kept(l1_importance(model), 0.3))
    calibrate(masked, x)
    last = model.layers[-1]
    classifier = next(layer for layer in reversed(model.layers) if hasattr(layer, "kernel"))
    last.activation = keras.activations.linear
    logits = np.asarray(masked(x))
    spread = np.ptp(logits, axis=0).max()
    classifier.kernel.assign(classifier.kernel / spread)
    classifier.bias.assign((classifier.bias - logits.mean(axis=0)) / spread)
    last.activation = keras.activations.softmax
    hidden = np.asarray(masked(x))
    assert hidden.max() < 0.9
    assert np.ptp(hidden, axis=0).max() > 0.02
    np.testing.assert_allclose(slim(masked, kept_by_masks(masked))(x), hidden, atol=1e-5)


def test_probabilities_of_a_small_mobilenet():
    assert_probabilities_stay("MobileNet", alpha=0.25, input_shape=(32, 32, 3))


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_probabilities_of_networks_of_keras(name):
    assert_probabilities_stay(name, **APPLICATIONS[name])


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0.3, 0.5])
def test_cnn10(ratio, tmp_path):
    model = registry.build_fixed(registry.named_spec("cnn10"))
    model = randomise(keras.models.clone_model(model, keras.Input((64, 101, 1))))
    assert_converts(assert_prunes(model, ratio, tmp_path), tmp_path)
