"""CP-Mobile and SSCP-Mobile: published widths, counts, and parity with PyTorch."""

import json
import math

import keras
import numpy as np
import pytest

from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.cp_mobile import make_divisible, sscp_mobile, with_widths
from dcase_system.models.layers import FusedBatchNormalization, kaiming_normal

# Parameters and MACs as published (baseline's README; the authors' complexity.json) or recounted
# from the published code by torchinfo.
COUNTS = {
    "cp_mobile": (61_148, 29_419_156),
    "cp_mobile_2023": (126_952, 28_893_268),
    "sscp_mobile_32": (62_564, 29_654_916),
    "sscp_mobile_48": (139_820, 65_614_708),
    "sscp_mobile_64": (238_324, 115_432_276),
    "sscp_mobile_80": (374_460, 179_535_684),
    "sscp_mobile_96": (537_636, 256_749_796),
    "sscp_mobile_s1": (63_748, 29_982_132),
    "sscp_mobile_s2": (64_875, 29_840_890),
    "sscp_mobile_s2c": (63_652, 29_342_960),
    "sscp_mobile_s3": (63_215, 29_221_122),
}


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_macs_are_the_published_ones(name):
    counted = count(registry.build(registry.named_spec(name)))
    assert (counted.params, counted.macs) == COUNTS[name]


@pytest.mark.parametrize("name", registry.ARCHITECTURES)
def test_spec_survives_json(name):
    spec = registry.named_spec(name)
    assert registry.spec_from_json(json.loads(json.dumps(registry.spec_to_json(spec)))) == spec


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda values: values.update(kind="resnet"),
            "not an architecture spec; expected kind cp_mobile .* received 'resnet'",
        ),
        (lambda values: values.pop("stem_channels"), "required field 'stem_channels' is missing"),
        (lambda values: values.pop("separable"), "required field 'separable' is missing"),
        (lambda values: values.update(colour=3), "unknown field; received 'colour'"),
        (
            lambda values: values.update(stem_channels="32"),
            r"stem_channels: wrong value; expected a valid integer; received '32'",
        ),
        (lambda values: values.update(stem_channels=0), "expected at least 1; received 0"),
        (
            lambda values: values["blocks"][2].update(strides=[1]),
            r"blocks\[2\]\.strides: required item 1 is missing",
        ),
        (
            lambda values: values["blocks"][0].update(shortcut=1),
            r"blocks\[0\]\.shortcut: wrong value; expected a valid boolean",
        ),
    ],
)
def test_wrong_spec_is_refused_with_the_name_of_its_field(change, message):
    values = json.loads(json.dumps(registry.spec_to_json(sscp_mobile(32))))
    change(values)
    with pytest.raises(InputError, match=message):
        registry.spec_from_json(values)


def test_all_defects_of_a_spec_are_named_at_once():
    values = json.loads(json.dumps(registry.spec_to_json(sscp_mobile(32))))
    values |= {"stem_channels": 1.5, "classes": True, "separable": None}
    values["blocks"][1]["strides"] = [1, 1, 1]
    with pytest.raises(InputError, match=r"s\.json: 4 defects: field stem_channels: ") as caught:
        registry.spec_from_json(values, "s.json")
    assert "blocks[1].strides: too many items; expected at most 2; received [1, 1, 1]" in str(
        caught.value
    )


def test_unknown_architecture_lists_the_known_ones():
    with pytest.raises(InputError, match=r"expected cp_mobile \| cp_mobile_2023"):
        registry.named_spec("cp_mobil")


@pytest.mark.parametrize(
    ("value", "rounded"), [(32 * 1.8, 56), (32 * 1.8**2, 104), (1, 8), (12, 16), (67.2, 64)]
)
def test_make_divisible(value, rounded):
    assert make_divisible(value) == rounded


def test_with_widths_changes_the_widths_only():
    spec = with_widths(sscp_mobile(64), 8, (32, 56, 104), [72] * 4 + [124] * 2)
    assert spec == registry.named_spec("sscp_mobile_s1")


def test_transition_blocks_have_no_shortcut_and_strided_ones_pool():
    names = {layer.name for layer in registry.build(sscp_mobile(32)).layers}
    assert {"block1_add", "block2_add", "block3_add", "block5_add"} <= names
    assert not {"block4_add", "block6_add"} & names
    assert "block3_shortcut_pool" in names


def test_fused_batch_norm_is_batch_norm_with_the_unbiased_moving_variance():
    x = np.random.default_rng(0).normal(2.0, 3.0, (4, 5, 6, 7)).astype(np.float32)
    layer = FusedBatchNormalization(momentum=0.0)
    y = layer(x, training=True).numpy()
    np.testing.assert_allclose(
        y, (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5), atol=1e-4
    )
    np.testing.assert_allclose(layer.moving_mean, x.mean((0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, x.var((0, 1, 2), ddof=1), rtol=1e-4)
    plain = keras.layers.BatchNormalization(epsilon=1e-5)
    plain.build(x.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x, training=False), plain(x, training=False), atol=1e-4)


def test_frozen_batch_norm_does_not_learn():
    layer = FusedBatchNormalization()
    layer.trainable = False
    x = np.random.default_rng(0).normal(2.0, 3.0, (4, 5, 6, 7)).astype(np.float32)
    layer(x, training=True)
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(7))


def test_kaiming_deviation():
    drawn = np.asarray(kaiming_normal(64, (3, 3))((3, 3, 200, 64)))
    assert drawn.std() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.02)


def test_model_saves_and_loads(tmp_path):
    network = registry.build(sscp_mobile(16))
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    x = np.random.default_rng(0).normal(size=(2, 256, 65, 1)).astype(np.float32)
    np.testing.assert_allclose(network(x), loaded(x), atol=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize(
    "name", ["cp_mobile", "cp_mobile_2023", "sscp_mobile_32", "sscp_mobile_s3"]
)
def test_logits_agree_with_pytorch(name):
    import torch

    from tests.models.torch_networks import CPMobile, copy_to_keras, randomise

    spec = registry.named_spec(name)
    reference, network = randomise(CPMobile(spec), seed=1), registry.build(spec)
    copy_to_keras(reference, network)
    x = np.random.default_rng(0).normal(size=(3, *spec.input_shape)).astype(np.float32)
    with torch.no_grad():
        expected = reference(torch.from_numpy(x)[:, None]).numpy()
    np.testing.assert_allclose(network(x[..., None]), expected, atol=1e-4)
    assert np.ptp(expected) > 1e-2  # the inputs do reach the outputs


@pytest.mark.torch
def test_weights_come_back_from_keras_as_they_went_there():
    from tests.models.torch_networks import CPMobile, copy_to_keras, copy_to_torch, randomise

    spec = registry.named_spec("cp_mobile_2023")
    reference, network = randomise(CPMobile(spec), seed=1), registry.build(spec)
    copy_to_keras(reference, network)
    back = copy_to_torch(network, CPMobile(spec)).state_dict()
    for name, tensor in reference.state_dict().items():
        np.testing.assert_array_equal(back[name], tensor)
