"""CP-ResNet: the published rules and sizes, parity with PyTorch, pruning, a stored network."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.cp_resnet import CPResNetSpec, ResBlockSpec, cp_resnet, cp_resnet_1s
from dcase_system.models.graph.read import read_graph
from dcase_system.models.stored import load_network, save_network
from dcase_system.models.widths import spec_of_network
from dcase_system.pruning.slim import slim
from tests.pruning.networks import randomise

SMALL = CPResNetSpec(
    stem_channels=3,
    blocks=(
        ResBlockSpec(4, 3, (3, 1), pool=(2, 1)),
        ResBlockSpec(5, 6, (3, 3), projected=True, pool=(2, 2)),
        ResBlockSpec(6, 6),
    ),
    classes=4,
    input_shape=(21, 24),
)


@pytest.fixture(scope="module")
def network():
    return randomise(registry.build(SMALL))


def features(examples: int = 2) -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.normal(size=(examples, *SMALL.input_shape, 1)).astype(np.float32)


def parameters(spec: CPResNetSpec) -> int:
    """Weights of the convolutions and twice their channels for batch norm, from the spec alone."""
    total, before = (25 * spec.input_channels + 2) * spec.stem_channels, spec.stem_channels
    for block in spec.blocks:
        first, second = block.kernels
        total += (first**2 * before + 2) * block.inner
        total += (second**2 * block.inner + 2) * block.channels
        total += block.projected * (before + 2) * block.channels
        before = block.channels
    return total + (before + 2) * spec.classes


def test_parameters_are_those_of_the_public_modules():
    """Counted in PyTorch: kkoutini/cpjku_dcase20 (stereo, rho 7), theMoro/DIRAugmentation."""
    assert parameters(replace(cp_resnet(), input_channels=2)) == 3_959_828
    assert parameters(cp_resnet_1s()) == parameters(cp_resnet()) == 3_956_628
    built = sum(np.prod(weight.shape) for weight in registry.build(SMALL).trainable_weights)
    assert built == parameters(SMALL)


def test_rho_is_the_number_of_3x3_convolutions_after_the_first_block():
    kernels = [size for block in cp_resnet(rho=7).blocks for size in block.kernels]
    assert kernels == [3, 1, *[3] * 7, *[1] * 15]
    assert cp_resnet(rho=0).blocks[1].kernels == (1, 1)
    assert cp_resnet(rho=22).blocks[-1].kernels == (3, 3)
    widths = [block.channels for block in cp_resnet(32).blocks]
    assert widths == [32] * 4 + [64] * 4 + [128] * 4


@pytest.mark.torch
def test_logits_agree_with_pytorch():
    import torch

    from dcase_system.models.checkpoints.convert import convert
    from tests.models import torch_networks
    from tests.models.torch_cp_resnet import CPResNet

    reference = torch_networks.randomise(CPResNet(SMALL), seed=1)
    state = {name: tensor.numpy() for name, tensor in reference.state_dict().items()}
    converted = convert(state, replace(SMALL, classes=10), "cp_resnet.pt").network
    x = features()
    with torch.no_grad():
        expected = reference(torch.from_numpy(x[..., 0])[:, None]).numpy()
    np.testing.assert_allclose(converted(x), expected, atol=1e-4, rtol=0)
    assert np.ptp(expected[0] - expected[1]) > 1e-2  # the inputs do reach the outputs


def test_a_pruned_network_is_a_spec_again(network, tmp_path):
    groups = read_graph(network).groups
    kept = {group.name: np.arange(group.size - 1) for group in groups}
    smaller = slim(network, kept)
    spec = spec_of_network(SMALL, smaller)
    assert (spec.stem_channels, [block.inner for block in spec.blocks]) == (2, [3, 4, 5])
    assert [block.channels for block in spec.blocks] == [2, 5, 5]
    save_network(tmp_path, smaller, spec)
    assert registry.read_spec(tmp_path / "spec.json") == spec
    np.testing.assert_allclose(load_network(tmp_path)(features()), smaller(features()), atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cp_resnet(rho=23), "rho does not fit; expected 0 to 22; received 23"),
        (lambda: CPResNetSpec(2, (ResBlockSpec(2, 2, (5, 1)),)), "kernels does not fit; .* 1 or 3"),
        (
            lambda: registry.build(replace(SMALL, input_shape=(8, 24))),
            r"input_shape does not fit; expected a size at which no map vanishes; .* \(8, 24\)",
        ),
    ],
)
def test_what_cannot_be_built_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_spec_from_outside_is_checked():
    values = json.loads(json.dumps(registry.spec_to_json(SMALL)))
    assert registry.spec_from_json(values) == SMALL
    values["blocks"][1]["pool"] = [2]
    with pytest.raises(InputError, match=r"blocks\[1\]\.pool"):
        registry.spec_from_json(values)
