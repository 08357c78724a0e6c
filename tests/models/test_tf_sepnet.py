"""TF-SepNet: published counts, parity with PyTorch, what pruning and TFLite make of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.layers import ResidualNormalization
from dcase_system.models.tf_sepnet import SepStageSpec, TFSepNetSpec
from dcase_system.pruning.rounds import PruningRound, Target
from tests.models.cases import assert_comes_back, assert_files_agree
from tests.pruning.networks import randomise

SMALL = TFSepNetSpec(
    stem_inner=3,
    stem_channels=6,
    stages=(SepStageSpec(4, 2, pooled=False), SepStageSpec(6, 1)),
    classes=3,
    input_shape=(32, 21),
)


@pytest.fixture(scope="module")
def network():
    return randomise(registry.build(SMALL))


def features(examples: int) -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.normal(size=(examples, *SMALL.input_shape, 1)).astype(np.float32)


def test_parameters_and_macs_are_the_published_ones():
    """DCASE 2024, Cai_XJTLU: 126.86 k parameters and 29.42 M MACs on 512 mels and 64 frames."""
    counted = count(registry.build(registry.named_spec("tf_sepnet_64")))
    assert (counted.params, counted.macs) == (126_858, 29_419_648)
    assert counted.bytes("int8") <= 128_000


def test_residual_normalisation_removes_the_level_and_scale_of_each_band():
    x = np.random.default_rng(0).normal(size=(2, 5, 7, 4)).astype(np.float32)
    scale, level = np.linspace(0.5, 3, 5)[:, None, None], np.linspace(-9, 9, 5)[:, None, None]
    norm = ResidualNormalization(weight=0.0)
    np.testing.assert_allclose(norm(x * scale + level), norm(x), atol=1e-3)
    expected = (x - x.mean((2, 3), keepdims=True)) / x.std((2, 3), ddof=1, keepdims=True)
    np.testing.assert_allclose(ResidualNormalization(0.1)(x), expected + 0.1 * x, atol=1e-4)


@pytest.mark.torch
def test_logits_agree_with_pytorch():
    import torch

    from dcase_system.models.checkpoints.convert import convert
    from tests.models import torch_networks
    from tests.models.torch_tf_sepnet import TFSepNet

    reference = torch_networks.randomise(TFSepNet(SMALL), seed=1)
    state = {name: tensor.numpy() for name, tensor in reference.state_dict().items()}
    converted = convert(state, replace(SMALL, classes=10), "tf_sepnet.ckpt").network
    x = features(2)
    with torch.no_grad():
        expected = reference(torch.from_numpy(x[..., 0])[:, None]).numpy()
    np.testing.assert_allclose(converted(x), expected, atol=1e-4, rtol=0)
    assert np.ptp(expected[0] - expected[1]) > 1e-2  # the inputs do reach the outputs


def test_a_stored_network_and_its_spec_come_back(network, tmp_path):
    assert_comes_back(network, SMALL, tmp_path, features(2))


def test_tflite_files_agree_with_keras(network, tmp_path):
    assert_files_agree(network, tmp_path, features(4))


def test_pruning_refuses_it_because_its_norms_read_all_channels(network):
    pruning = PruningRound(ratio=0.3, epochs=1, tuning_epochs=1)
    with pytest.raises(InputError, match=r"no channel can be removed; .* stem_norm") as caught:
        Target(pruning, network)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TFSepNetSpec(stem_channels=100), "stem_channels does not fit; .* multiple of 32"),
        (lambda: replace(SMALL, stages=(SepStageSpec(5, 1),)), "channels does not fit; .* even"),
        (
            lambda: registry.build(replace(SMALL, input_shape=(32, 4))),
            r"input_shape does not fit; expected a size at which no map vanishes; .* \(32, 4\)",
        ),
    ],
)
def test_what_cannot_be_built_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_spec_from_outside_is_checked():
    values = json.loads(json.dumps(registry.spec_to_json(SMALL)))
    assert registry.spec_from_json(values) == SMALL
    values["stages"][1]["blocks"] = 0
    with pytest.raises(InputError, match=r"stages\[1\]\.blocks: wrong value; expected at least 1"):
        registry.spec_from_json(values)
