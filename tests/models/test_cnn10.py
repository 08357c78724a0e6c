"""CNN10: published counts, its pooling, and parity with PyTorch."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec, MeanMelsPoolFrames, build_cnn10

SMALL = CNN10Spec(blocks=((4, 6), (8,), (6, 5), (7, 7)), embedding=9, classes=3)


def trainable(network: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


def test_parameters_are_the_published_ones():
    assert trainable(build_cnn10(CNN10Spec())) == 5_219_279


def test_each_convolution_has_its_own_width_and_a_block_its_own_depth():
    network = build_cnn10(SMALL)
    widths = [layer.filters for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert widths == [4, 6, 8, 6, 5, 7, 7]


def test_one_convolution_a_block_is_the_supernets_smallest_depth():
    """Depth (2, 1, 1, 1) at full width: 2,120,911 parameters, a uniform baseline of OFA-AEC."""
    spec = CNN10Spec(blocks=((64, 64), (128,), (256,), (512,)))
    assert trainable(build_cnn10(spec)) == 2_120_911


@pytest.mark.parametrize("frames", [16, 101, 1_001])
def test_any_number_of_frames(frames):
    assert build_cnn10(SMALL)(np.zeros((2, 64, frames, 1), np.float32)).shape == (2, 3)


def test_mel_bands_are_normalised_one_by_one():
    network = build_cnn10(SMALL)
    entry = keras.Model(network.input, network.get_layer("mels_first").output)
    scales = np.linspace(1, 9, 64)[None, :, None, None]
    x = np.random.default_rng(0).normal(-30, 1, (4, 64, 50, 1)) * scales
    y = entry(x.astype(np.float32), training=True).numpy()
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(y.std(axis=(0, 2, 3)), 1, atol=1e-3)


def test_pooling_is_the_maximum_plus_the_mean_of_the_mel_mean():
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype(np.float32)
    mean = x.mean(axis=1)
    expected = mean.max(axis=1) + mean.mean(axis=1)
    np.testing.assert_allclose(MeanMelsPoolFrames()(x), expected, atol=1e-6)


def test_spec_survives_json():
    values = json.loads(json.dumps(registry.spec_to_json(SMALL)))
    assert registry.spec_from_json(values) == SMALL


@pytest.mark.torch
@pytest.mark.parametrize("frames", [101, pytest.param(1_001, marks=pytest.mark.slow)])
def test_logits_agree_with_pytorch(tmp_path, frames):
    import torch

    from dcase_system.models.checkpoints.convert import convert
    from dcase_system.models.checkpoints.torch_file import read_state_dict
    from tests.models.torch_cnn10 import CNN10
    from tests.models.torch_networks import randomise

    spec = CNN10Spec()
    reference = randomise(CNN10(spec), seed=1)
    torch.save({"model": reference.state_dict()}, tmp_path / "cnn10.pth")
    tensors = read_state_dict(tmp_path / "cnn10.pth").tensors
    network = convert(tensors, replace(spec, classes=10), "cnn10.pth").network
    x = np.random.default_rng(0).normal(-30, 15, (2, 64, frames)).astype(np.float32)
    with torch.no_grad():
        expected = reference(torch.from_numpy(x.transpose(0, 2, 1).copy())[:, None]).numpy()
    np.testing.assert_allclose(network(x[..., None]), expected, atol=1e-4, rtol=0)
    assert np.ptp(expected[0] - expected[1]) > 1e-2  # the inputs do reach the outputs
