"""The networks for images in Table 4: published sizes, parity, files, refusals."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.edge import tflite
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models import registry
from dcase_system.models.shufflenet import ShuffleNetV2Spec
from dcase_system.models.stored import load_model, load_network, save_network
from dcase_system.models.vision import AlexNetSpec, MobileNetSpec
from tests.pruning.networks import randomise

MIB = 2**20
SMALL_ALEXNET = AlexNetSpec((4, 6, 5, 4, 3), (8, 6), classes=4, input_shape=(64, 60))
SMALL_SHUFFLENET = ShuffleNetV2Spec(
    6, (2, 1), (8, 12), 10, classes=4, input_shape=(40, 50), input_channels=3
)
SMALL = {
    "alexnet": SMALL_ALEXNET,
    "mobilenet_v1": MobileNetSpec(1, input_shape=(32, 48)),
    "mobilenet_v2": MobileNetSpec(2, input_shape=(48, 32)),
    "shufflenet_v2": SMALL_SHUFFLENET,
}


@pytest.mark.parametrize(
    ("name", "params", "megabytes"),
    [
        ("alexnet_modified", 8_854_403, 33.8),
        ("mobilenet_v1", 3_209_763, 12.2),
        ("mobilenet_v2", 2_227_427, 8.5),
        ("shufflenet_v2", 1_256_463, 4.8),
    ],
)
def test_sizes_are_those_of_table_4(name, params, megabytes):
    """Section 4.4: "we change the number of input channels to 2 and the number of output classes
    to 3"; Table 4: AlexNet (Modified) 33.8, MobileNet V1 12.2, V2 8.5, ShuffleNet V2 4.8 MB."""
    spec = registry.named_spec(name)
    assert (spec.input_channels, spec.classes) == (2, 3)
    counted = count(registry.build(spec))
    assert counted.params == params
    assert round(counted.bytes("float32") / MIB, 1) == megabytes


@pytest.mark.parametrize(
    ("spec", "params"),
    [
        (MobileNetSpec(1), 4_231_976),
        (MobileNetSpec(2), 3_504_872),
        (ShuffleNetV2Spec(), 2_278_604),
    ],
)
def test_for_images_they_have_the_well_known_parameters(spec, params):
    """With 3 channels and 1,000 classes: those of Keras and torchvision (trainable ones)."""
    for_images = replace(spec, classes=1_000, input_shape=(224, 224), input_channels=3)
    assert count(registry.build(for_images)).params == params


def test_alexnet_has_the_five_original_convolutions_and_smaller_dense_layers():
    network = registry.build(registry.named_spec("alexnet_modified"))
    convolutions = [one for one in network.layers if isinstance(one, keras.layers.Conv2D)]
    assert [one.filters for one in convolutions] == [96, 256, 384, 384, 256]
    assert [one.kernel_size[0] for one in convolutions] == [11, 5, 3, 3, 3]
    dense = [one.units for one in network.layers if isinstance(one, keras.layers.Dense)]
    assert dense == [1_536, 1_024, 3]


def test_moving_statistics_of_mobilenets_follow_as_fast_as_those_of_the_other_networks():
    for version in (1, 2):
        layers = registry.build(MobileNetSpec(version)).layers
        norms = [one for one in layers if isinstance(one, keras.layers.BatchNormalization)]
        assert {one.momentum for one in norms} == {0.9}


@pytest.mark.torch
def test_shufflenet_computes_what_pytorch_does():
    import torch

    from tests.models.torch_shufflenet import ShuffleNetV2

    torch.manual_seed(0)
    reference = ShuffleNetV2(SMALL_SHUFFLENET).eval()
    network = randomise(registry.build(SMALL_SHUFFLENET))
    modules = [m for m in reference.modules() if not list(m.children())]
    weighted = [m for m in modules if any(True for _ in m.parameters())]
    # Keras orders its layers by their depth, so that branches are mixed: by name they are not.
    names = [layer.name for layer in network.layers if layer.weights]
    order = sorted(names, key=_place)
    assert len(order) == len(weighted)
    for name, module in zip(order, weighted, strict=True):
        weights = [torch.from_numpy(w) for w in network.get_layer(name).get_weights()]
        _assign(module, weights)
    x = np.random.default_rng(0).normal(size=(3, 40, 50, 3)).astype(np.float32)
    expected = reference(torch.from_numpy(x.transpose(0, 3, 1, 2))).detach().numpy()
    np.testing.assert_allclose(np.asarray(network(x)), expected, atol=1e-4)


def _place(name: str) -> tuple:
    """Where a layer stands in the reference: stage and unit, then branch, then its own place."""
    parts = ["stem", *(f"stage{s}_unit{u}" for s in (1, 2) for u in (1, 2)), "head", "logits"]
    part = next(index for index, prefix in enumerate(parts) if name.startswith(prefix))
    steps = ["left_depthwise", "left", "first", "depthwise", "last"]
    rest = name.removeprefix(f"{parts[part]}_")
    step = next((i for i, prefix in enumerate(steps) if rest.startswith(prefix)), 0)
    return part, step, name.endswith("_bn")


def _assign(module, weights) -> None:
    import torch

    with torch.no_grad():
        if isinstance(module, torch.nn.BatchNorm2d):
            targets = (module.weight, module.bias, module.running_mean, module.running_var)
            for target, value in zip(targets, weights, strict=True):
                target.copy_(value)
        elif isinstance(module, torch.nn.Linear):
            module.weight.copy_(weights[0].T)
            module.bias.copy_(weights[1])
        else:  # (height, width, in, out); a depthwise one has its channels in the place of in
            axes = (3, 2, 0, 1) if module.groups == 1 else (2, 3, 0, 1)
            module.weight.copy_(weights[0].permute(*axes))


@pytest.mark.parametrize("name", SMALL)
def test_a_stored_network_and_its_spec_come_back(tmp_path, name):
    spec = SMALL[name]
    network = randomise(registry.build(spec))
    save_network(tmp_path, network, spec)
    assert registry.read_spec(tmp_path / "spec.json") == spec
    x = np.random.default_rng(0).normal(size=(2, *spec.input_shape, spec.input_channels))
    expected = np.asarray(network(x.astype(np.float32)))
    for stored in (load_network(tmp_path), load_model(tmp_path / "network.keras")):
        np.testing.assert_allclose(np.asarray(stored(x.astype(np.float32))), expected, atol=1e-5)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if "mobilenet" in name else ()) for name in SMALL],
)
def test_tflite_files_agree_with_keras(tmp_path, name):
    spec = SMALL[name]
    network = randomise(registry.build(spec))
    features = (
        np.random.default_rng(0)
        .normal(size=(3, *spec.input_shape, spec.input_channels))
        .astype(np.float32)
    )
    tflite.export(network, tmp_path, features, formats=("float32", "int8"))
    expected = np.asarray(network(features))
    logits = TFLiteModel(tmp_path / tflite.file_name("float32"))(features)
    np.testing.assert_allclose(logits, expected, atol=1e-3 * np.abs(expected).max())
    quantised = TFLiteModel(tmp_path / tflite.file_name("int8"))(features)
    assert quantised.shape == expected.shape


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MobileNetSpec(3), "version does not fit; expected 1 or 2; received 3"),
        (lambda: AlexNetSpec((1, 2)), "convolutions does not fit; expected 5; received 2"),
        (lambda: ShuffleNetV2Spec(channels=(4, 7, 8)), "channels does not fit; expected even"),
        (lambda: ShuffleNetV2Spec(units=(4,)), "units does not fit; expected one number for each"),
        (
            lambda: registry.build(MobileNetSpec(1, input_shape=(128, 31))),
            r"input_shape does not fit; expected at least 32 .*; received \(128, 31\)",
        ),
        (
            lambda: registry.build(AlexNetSpec(input_shape=(128, 56))),
            r"input_shape does not fit; expected a size at which no map vanishes",
        ),
    ],
)
def test_what_cannot_be_built_is_refused(make, message):
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_spec_from_outside_is_checked():
    values = json.loads(json.dumps(registry.spec_to_json(SMALL_ALEXNET)))
    with pytest.raises(
        InputError, match=r"dense\[0\]: wrong value; expected at least 1; received 0"
    ):
        registry.spec_from_json({**values, "dense": [0]})
