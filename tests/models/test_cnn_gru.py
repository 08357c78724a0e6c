"""CNN-GRU: published counts, parity with PyTorch, one training step, int8 in built-in operators."""

import json

import keras
import numpy as np
import pytest

from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.edge import flatbuffer, tflite
from dcase_system.models import registry
from dcase_system.models.cnn_gru import CNNGRUSpec
from dcase_system.models.features import front_end_of
from dcase_system.models.widths import check_prunable
from tests.models.cases import assert_comes_back, assert_files_agree
from tests.pruning.networks import calibrate, randomise

SMALL = CNNGRUSpec(
    stem_inner=3,
    stem_channels=4,
    path_inner=3,
    gru_steps=5,
    gru_units=6,
    classes=3,
    input_shape=(32, 17),
)


@pytest.fixture(scope="module")
def network():
    network = randomise(registry.build(SMALL))
    calibrate(network, features(4))
    return network


def features(examples: int) -> np.ndarray:
    """Different by clip, since the network averages over nearly everything."""
    generator = np.random.default_rng(0)
    shape = (examples, *SMALL.input_shape, 1)
    level = generator.normal(0, 2, (examples, SMALL.input_shape[0], 1, 1))
    return (level + generator.normal(0, 1, shape)).astype(np.float32)


def test_parameters_and_macs_are_the_published_ones():
    """DCASE 2025, Tan_SNTLNTU: 116,342 bytes at float16 and 10,902,300 MACs on 33 frames."""
    spec = registry.named_spec("cnn_gru")
    assert front_end_of(spec).frames(32_000) == spec.input_shape[1]
    counted = count(registry.build(spec))
    assert (counted.bytes("float16"), counted.macs) == (116_342, 10_902_300)


@pytest.mark.torch
def test_logits_agree_with_pytorch():
    import torch

    from tests.models import torch_networks
    from tests.models.torch_cnn_gru import CNNGRU, copy_to_keras

    reference = torch_networks.randomise(CNNGRU(SMALL), seed=1)
    x = features(4)
    inputs = torch.from_numpy(x[..., 0])[:, None]
    # With statistics of these inputs, since with others the signal dies on its long way.
    for module in reference.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        reference.train()(inputs)
        expected = reference.eval()(inputs).numpy()
    network = registry.build(SMALL)
    copy_to_keras(reference, network)
    np.testing.assert_allclose(network(x), expected, atol=1e-4, rtol=0)
    assert np.ptp(expected[0] - expected[1]) > 1e-2  # the inputs do reach the outputs


def test_training_moves_every_weight_and_drops_whole_channels_and_steps():
    keras.utils.set_random_seed(0)
    network = registry.build(SMALL)
    before = [weight.numpy() for weight in network.trainable_weights]
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.01), loss, run_eagerly=True)
    network.train_on_batch(features(4), np.eye(3, dtype=np.float32)[[0, 1, 2, 0]])
    moved = [
        not np.array_equal(old, new.numpy())
        for old, new in zip(before, network.trainable_weights, strict=True)
    ]
    assert all(moved)
    for name, axes in (("map_dropout", (1, 2)), ("gru_dropout", (2,))):
        layer = network.get_layer(name)
        dropped = np.asarray(layer(np.ones((2, *layer.input.shape[1:])), training=True)) == 0
        assert dropped.any() and not dropped.all()
        np.testing.assert_array_equal(dropped.all(axes), dropped.any(axes))


def test_a_stored_network_and_its_spec_come_back(network, tmp_path):
    assert_comes_back(network, SMALL, tmp_path, features(2))


def test_tflite_files_agree_with_keras_in_built_in_operators(network, tmp_path):
    assert_files_agree(network, tmp_path, features(4))
    model = flatbuffer.parse((tmp_path / tflite.file_name("int8")).read_bytes())
    assert len(model.subgraphs) == 1  # no loop: the GRU is unrolled
    assert not {name for name in flatbuffer.operators(model) if "Flex" in name or name == "CUSTOM"}


def test_pruning_is_refused_before_any_training():
    with pytest.raises(InputError, match=r"cnn_gru: architecture cannot be pruned; .* cp_resnet"):
        check_prunable(SMALL)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"stem_channels": 3}, "stem_channels does not fit; expected an even number; received 3"),
        ({"input_shape": (256, 7)}, "input_shape does not fit; expected at least 16 bands and 8"),
    ],
)
def test_what_cannot_be_built_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        CNNGRUSpec(**fields)


def test_a_spec_from_outside_is_checked():
    values = json.loads(json.dumps(registry.spec_to_json(SMALL)))
    assert registry.spec_from_json(values) == SMALL
    with pytest.raises(InputError, match="gru_units: wrong value; expected at least 1"):
        registry.spec_from_json({**values, "gru_units": 0})
