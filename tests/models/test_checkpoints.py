"""Published state dicts to Keras networks: names, shapes and refusals. No PyTorch needed."""

from dataclasses import replace

import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.checkpoints.convert import convert
from dcase_system.models.checkpoints.mapping import pairs_of
from dcase_system.models.checkpoints.published import published
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.models.cp_mobile import sscp_mobile, with_widths
from dcase_system.models.passt import PaSSTSpec

PASST = PaSSTSpec(embed_dim=12, depth=2, heads=3, mlp_dim=16, classes=4)
CNN10 = CNN10Spec(blocks=((4, 4), (5, 5), (6, 6), (7, 7)), embedding=8, classes=4)
SPECS = {
    "passt": PASST,
    "cnn10": CNN10,
    "cp_mobile": registry.named_spec("cp_mobile"),
    "cp_mobile_2023": registry.named_spec("cp_mobile_2023"),
    "sscp_mobile": sscp_mobile(16),
}
EXTRAS = {
    "passt": {"head_dist.weight": (4, 12), "head_dist.bias": (4,)},
    "cnn10": {"logmel_extractor.melW": (513, 64), "bn0.num_batches_tracked": ()},
    "cp_mobile": {"in_c.0.1.num_batches_tracked": ()},
}


def state_of(spec, seed: int = 0) -> dict[str, np.ndarray]:
    """A random state dict of a network, with the tensors that are to be left out."""
    generator, network, names = np.random.default_rng(seed), registry.build(spec), published(spec)
    pairs = [
        pair
        for module, layer in names.modules
        for pair in pairs_of(network.get_layer(layer), module, names.mirrored)
    ]
    shapes = {pair.name: pair.tensor_shape for pair in pairs}
    shapes |= EXTRAS[registry.kind_of(spec)]
    return {
        name: generator.uniform(0.1, 0.5, shape).astype(np.float32)
        for name, shape in shapes.items()
    }


@pytest.mark.parametrize("name", SPECS)
def test_every_variable_is_filled_and_every_tensor_accounted_for(name):
    spec = SPECS[name]
    state = state_of(spec)
    converted = convert(state, spec, "file")
    assert converted.spec == spec
    assert len(converted.mapped) == len(converted.network.weights)
    named = [pair.name for pair in converted.mapped] + [left.name for left in converted.left_out]
    assert sorted(named) == sorted(state)
    assert {left.name for left in converted.left_out} == set(EXTRAS[registry.kind_of(spec)])
    for pair in converted.mapped:
        total = float(np.sum(state[pair.name], dtype=np.float64))
        assert float(np.sum(pair.variable, dtype=np.float64)) == pytest.approx(total, rel=1e-5)


def test_published_names_and_shapes_of_passt_s():
    """As listed from hear21passt's module: 159 tensors with `head_dist`."""
    names = published(registry.named_spec("passt_s"))
    assert ("blocks.11.attn.qkv", "block12_qkv") in names.modules
    spec = replace(PASST, depth=12)
    converted = convert(state_of(spec), spec, "file")
    assert len(converted.mapped) + len(converted.left_out) == 159
    shapes = {pair.name: pair.tensor_shape for pair in converted.mapped}
    assert shapes["time_new_pos_embed"] == (1, 12, 1, 99)
    assert shapes["freq_new_pos_embed"] == (1, 12, 12, 1)
    assert shapes["new_pos_embed"] == (1, 2, 12)
    assert shapes["patch_embed.proj.weight"] == (12, 1, 16, 16)
    assert shapes["blocks.0.attn.qkv.weight"] == (36, 12)
    assert shapes["blocks.0.mlp.fc2.weight"] == (12, 16)
    assert shapes["head.1.weight"] == (4, 12)


def test_kernels_of_cnn10_are_turned_because_its_axes_are():
    state = state_of(CNN10)
    kernel = convert(state, CNN10, "file").network.get_layer("block1_conv1").kernel.numpy()
    np.testing.assert_array_equal(kernel[2, 0, 0, 3], state["conv_block1.conv1.weight"][3, 0, 0, 2])


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("which", [0, 7, -1])
def test_missing_tensor_is_named(name, which):
    state = state_of(SPECS[name])
    wanted = [pair.name for pair in convert(state, SPECS[name], "file").mapped]
    del state[wanted[which]]
    with pytest.raises(InputError, match=rf"^file: .*{wanted[which]}"):
        convert(state, SPECS[name], "file")


def test_many_missing_tensors_are_one_line():
    state = {name: value for name, value in state_of(PASST).items() if "blocks.1" not in name}
    with pytest.raises(InputError, match=r"blocks\.1\.norm1\.bias.* and 9 more are missing$"):
        convert(state, PASST, "file")


def test_extra_tensor_is_named():
    state = {**state_of(PASST), "blocks.2.norm1.weight": np.zeros(12, np.float32)}
    with pytest.raises(InputError, match=r"tensor blocks\.2\.norm1\.weight is not part of"):
        convert(state, PASST, "file")


@pytest.mark.parametrize("name", ["passt", "cnn10"])
def test_wrong_shape_is_named_with_both_shapes(name):
    state = state_of(SPECS[name])
    tensor = {"passt": "time_new_pos_embed", "cnn10": "fc1.weight"}[name]
    shape = state[tensor].shape
    state[tensor] = state[tensor][..., :-1]
    with pytest.raises(InputError, match=f"tensor {tensor} has the wrong shape") as raised:
        convert(state, SPECS[name], "file")
    assert str(raised.value).endswith(f"expected {shape}; received {state[tensor].shape}")


def test_numbers_that_are_none_are_refused():
    state = state_of(CNN10)
    state["fc1.bias"][2] = np.nan
    with pytest.raises(InputError, match=r"fc1\.bias holds values that are not finite"):
        convert(state, CNN10, "file")


@pytest.mark.parametrize(
    ("held", "said", "message"),
    [
        ("passt", "cnn10", r"not a checkpoint of this architecture: no tensor bn0\.weight"),
        ("cp_mobile", "sscp_mobile", r"stages\.s1\.b1\.exp_conv\.0\.weight is missing"),
        ("sscp_mobile", "cp_mobile", r"stages\.s1\.b1\.block\.0\.0\.weight is missing"),
        ("cp_mobile_2023", "cp_mobile", r"after_block_norm\.gamma.* not part of"),
        ("cp_mobile", "cp_mobile_2023", r"after_block_norm\.gamma.* missing"),
    ],
)
def test_checkpoint_of_another_architecture_is_refused(held, said, message):
    with pytest.raises(InputError, match=message):
        convert(state_of(SPECS[held]), SPECS[said], "file")


def test_stride_variants_are_told_apart_by_their_grids():
    with pytest.raises(
        InputError, match=r"freq_new_pos_embed has the wrong shape.*\(1, 12, 8, 1\)"
    ):
        convert(state_of(PASST), replace(PASST, strides=(16, 16)), "file")


def test_pruned_widths_are_read_from_the_tensors():
    pruned = with_widths(sscp_mobile(16), 3, (13, 11, 9), (21, 22, 23, 24, 25, 26))
    pruned = replace(pruned, stem_inner=(3, 5))
    converted = convert(state_of(pruned), registry.named_spec("sscp_mobile_64"), "file")
    assert converted.spec == pruned


def test_block_that_cannot_add_its_input_is_refused():
    state = state_of(sscp_mobile(16))
    state["stages.s1.b2.proj_conv.0.weight"] = np.zeros((15, 32, 1, 1), np.float32)
    with pytest.raises(
        InputError, match=r"b2\.proj_conv.*expected 16 output channels; received 15"
    ):
        convert(state, sscp_mobile(16), "file")


def test_lightnings_prefix_is_taken_off_and_its_front_end_left_out():
    spec = sscp_mobile(16)
    plain = state_of(spec)
    state = {f"model.{name}": value for name, value in plain.items()}
    state["mel.1.spectrogram.window"] = np.zeros(3_072, np.float32)
    converted = convert(state, spec, "file")
    assert converted.left_out[0].name == "mel.1.spectrogram.window"
    for weight, expected in zip(
        converted.network.weights, convert(plain, spec, "file").network.weights, strict=True
    ):
        np.testing.assert_array_equal(weight, expected)
    state["teacher.weight"] = np.zeros(3, np.float32)
    with pytest.raises(InputError, match=r"tensor teacher\.weight is not part of"):
        convert(state, spec, "file")


def test_one_of_two_networks_has_to_be_chosen():
    nets = {"net.": state_of(PASST, 1), "net_swa.": state_of(PASST, 2)}
    state = {prefix + name: value for prefix, net in nets.items() for name, value in net.items()}
    with pytest.raises(InputError, match=r"expected --prefix=net\. \| net_swa\."):
        convert(state, PASST, "file")
    chosen = convert(state, PASST, "file", prefix="net_swa.")
    np.testing.assert_array_equal(
        chosen.network.get_layer("logits").bias, nets["net_swa."]["head.1.bias"]
    )
    with pytest.raises(InputError, match=r"no tensor other\.cls_token"):
        convert(state, PASST, "file", prefix="other.")


def test_new_head_keeps_everything_but_the_classifier():
    state = state_of(PASST)
    converted = convert(state, PASST, "file", classes=7, new_head=True)
    assert converted.spec == replace(PASST, classes=7)
    left_out = {left.name: left.reason for left in converted.left_out}
    assert left_out["head.1.weight"] == "the classifier is new"
    np.testing.assert_array_equal(
        converted.network.get_layer("head_norm").gamma, state["head.0.weight"]
    )
    del state["head.1.weight"], state["head.1.bias"]  # a backbone without a classifier
    convert(state, PASST, "file", classes=7, new_head=True)


def test_other_classes_need_a_new_head_and_a_new_head_its_classes():
    with pytest.raises(InputError, match=r"--new_head .*expected 7 classes; received 4"):
        convert(state_of(PASST), PASST, "file", classes=7)
    with pytest.raises(
        InputError, match="a new head needs a number of classes; expected --classes"
    ):
        convert(state_of(PASST), PASST, "file", new_head=True)
    assert convert(state_of(PASST), replace(PASST, classes=99), "file", classes=4).spec == PASST
