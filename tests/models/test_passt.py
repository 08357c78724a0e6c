"""PaSST: published counts, the parts that are random in training, and attention's formula."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.passt import PaSSTSpec, build_passt, passt_features
from dcase_system.models.passt_layers import ClassTokens, Patchout, PositionalGrid, SelfAttention

SMALL = PaSSTSpec(embed_dim=24, depth=2, heads=3, mlp_dim=32, classes=4)
ONE_SECOND = np.random.default_rng(0).normal(size=(3, 128, 100, 1)).astype(np.float32)


def tokens_of(network: keras.Model, inputs, training: bool) -> np.ndarray:
    """What the first block receives."""
    return keras.Model(network.input, network.get_layer("tokens").output)(inputs, training=training)


def test_parameters_are_those_of_the_published_checkpoint_without_its_unused_head():
    built = build_passt(replace(registry.named_spec("passt_s"), classes=10)).count_params()
    head_dist = 768 * 10 + 10
    assert built + head_dist == 85_358_612


@pytest.mark.parametrize(
    ("name", "grid"),
    [
        ("passt_s", (12, 99)),
        ("passt_s_s12", (10, 83)),
        ("passt_s_s14", (9, 71)),
        ("passt_s_s16", (8, 62)),
    ],
)
def test_strides_change_the_grid_of_positions_and_nothing_else(name, grid):
    spec = registry.named_spec(name)
    assert spec.grid == grid
    assert replace(spec, strides=(10, 10)) == registry.named_spec("passt_s")


@pytest.mark.parametrize(
    ("patchout", "tokens"),
    [
        ({}, 2 + 12 * 9),
        ({"patchout_mels": 6}, 56),
        ({"patchout_frames": 2}, 2 + 12 * 7),
        ({"patchout_patches": 10}, 2 + 12 * 9 - 10),
        ({"patchout_mels": 6, "patchout_frames": 2, "patchout_patches": 10}, 2 + 6 * 7 - 10),
    ],
)
def test_patchout_leaves_tokens_out_in_training_only(patchout, tokens):
    network = build_passt(replace(SMALL, **patchout))
    assert tokens_of(network, ONE_SECOND, training=True).shape == (3, tokens, 24)
    assert tokens_of(network, ONE_SECOND, training=False).shape == (3, 110, 24)


def test_tiny_passt_has_a_token_for_every_four_frames():
    network = build_passt(registry.named_spec("passt_tiny"))
    assert tokens_of(network, ONE_SECOND, training=True).shape == (3, 2 + 25, 128)


def test_graph_knows_the_number_of_tokens_beforehand():
    """A shape known when the graph is made keeps a training step fast."""
    shapes = []

    def record(inputs):
        shapes.append(tokens_of(network, inputs, training=True).shape)

    network = build_passt(replace(SMALL, patchout_mels=6))
    tf.function(record).get_concrete_function(tf.TensorSpec((5, 128, 100, 1)))
    assert shapes[-1] == (5, 56, 24)


def test_structured_patchout_drops_whole_rows_and_columns_of_the_whole_batch():
    batch, rows, columns = np.meshgrid(range(2), range(5), range(4), indexing="ij")
    patches = np.stack([batch, rows, columns], axis=-1).astype(np.float32)
    layer = Patchout(rows=2, columns=1, seed=0)
    seen = set()
    for _ in range(30):
        kept = layer(patches, training=True).numpy()
        kept_rows, kept_columns = (sorted(set(kept[0, :, axis])) for axis in (1, 2))
        assert (len(kept_rows), len(kept_columns)) == (3, 3)
        # Row after row, in order, the same for both clips.
        expected = [(row, column) for row in kept_rows for column in kept_columns]
        for clip in kept:
            assert [tuple(patch) for patch in clip[:, 1:]] == expected
        seen |= set(kept_rows)
    assert seen == set(range(5))


def test_unstructured_patchout_keeps_distinct_patches_in_order():
    patches = np.arange(20, dtype=np.float32).reshape(1, 5, 4, 1)
    kept = Patchout(patches=7, seed=0)(patches, training=True).numpy().ravel()
    assert len(kept) == 13
    assert (np.diff(kept) > 0).all()


def test_patchout_of_everything_is_refused():
    with pytest.raises(ValueError, match="expected to leave out fewer than 5, received 5"):
        Patchout(rows=5)(np.zeros((1, 5, 4, 1), np.float32), training=True)


def test_short_input_lies_anywhere_on_the_time_axis_in_training_and_first_in_inference():
    layer = PositionalGrid((2, 6), random_offset=True, seed=0)
    zeros = np.zeros((1, 2, 4, 1), np.float32)
    layer.build(zeros.shape)
    layer.set_weights([np.zeros((1, 2, 1, 1)), np.arange(6.0).reshape(1, 1, 6, 1)])
    starts = set()
    for _ in range(50):
        columns = layer(zeros, training=True).numpy()[0, 0, :, 0]
        np.testing.assert_array_equal(np.diff(columns), 1)
        starts.add(columns[0])
    assert starts == {0, 1, 2}
    np.testing.assert_array_equal(layer(zeros)[0, 0, :, 0], range(4))


def test_attention_is_its_formula():
    packed = np.random.default_rng(0).normal(size=(2, 5, 18)).astype(np.float32)
    mixed = SelfAttention(3)(packed).numpy()
    for clip in range(2):
        for head in range(3):
            own = slice(2 * head, 2 * head + 2)
            queries, keys, values = (part[:, own] for part in np.split(packed[clip], 3, axis=1))
            weights = np.exp(queries @ keys.T / np.sqrt(2))
            weights /= weights.sum(axis=1, keepdims=True)
            np.testing.assert_allclose(mixed[clip, :, own], weights @ values, atol=1e-5)


def test_class_and_distillation_tokens_come_first():
    layer = ClassTokens()
    layer.build((None, 3, 2))
    positions = np.array([[[10.0, 10.0], [20.0, 20.0]]])
    layer.set_weights([np.full((1, 1, 2), 1.0), np.full((1, 1, 2), 2.0), positions])
    tokens = layer(np.zeros((4, 3, 2), np.float32)).numpy()
    np.testing.assert_array_equal(tokens[:, :, 0], [[11, 22, 0, 0, 0]] * 4)


@pytest.mark.parametrize("frames", [16, 100, 998, 1_000])
def test_any_number_of_frames_up_to_the_grids(frames):
    network = build_passt(SMALL)
    assert network(np.zeros((1, 128, frames, 1), np.float32)).shape == (1, 4)


def test_longer_inputs_and_other_mel_bands_are_refused():
    network = build_passt(SMALL)
    with pytest.raises(ValueError, match="expected at most 99 columns of patches, received 100"):
        network(np.zeros((1, 128, 1_006, 1), np.float32))
    with pytest.raises(ValueError, match="expected 12 rows of patches, received 11"):
        build_passt(replace(SMALL, strides=(10, 10), patch_size=(24, 16)))


def training_steps(seed: int, spec: PaSSTSpec) -> list[np.ndarray]:
    keras.utils.set_random_seed(seed)
    network = build_passt(spec)
    network.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    for _ in range(2):
        network.train_on_batch(ONE_SECOND, np.eye(4)[:3])
    return network.get_weights()


def test_training_repeats_bit_for_bit_with_the_seed_and_differs_without():
    spec = replace(SMALL, depth=1, patchout_mels=6, patchout_frames=1, patchout_patches=5)
    first, again, other = (training_steps(seed, spec) for seed in (1, 1, 2))
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert any(not np.array_equal(one, another) for one, another in zip(first, other, strict=True))


def test_only_the_draws_differ_between_two_seeds_of_one_network():
    spec = replace(SMALL, patchout_mels=6)
    keras.utils.set_random_seed(1)
    one, other = build_passt(spec), build_passt(spec)
    other.set_weights(one.get_weights())
    np.testing.assert_array_equal(one(ONE_SECOND), other(ONE_SECOND))
    assert not np.allclose(one(ONE_SECOND, training=True), other(ONE_SECOND, training=True))


def test_every_weight_gets_a_gradient():
    network = build_passt(replace(SMALL, patchout_mels=6))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(network(ONE_SECOND, training=True) - np.eye(4)[:3]))
    variables = network.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        assert gradient is not None, variable.path
        assert np.abs(gradient).max() > 0, variable.path


def test_features_are_what_the_head_sees():
    network = build_passt(SMALL)
    logits, features = passt_features(network)(ONE_SECOND)
    np.testing.assert_array_equal(logits, network(ONE_SECOND))
    head = network.get_layer("logits")(network.get_layer("head_norm")(features))
    np.testing.assert_allclose(head, logits, atol=1e-6)


def test_patchout_of_zero_survives_json_and_a_negative_one_is_refused():
    values = json.loads(json.dumps(registry.spec_to_json(SMALL)))
    assert registry.spec_from_json(values) == SMALL
    values["patchout_mels"] = -1
    with pytest.raises(InputError, match="patchout_mels: wrong value; expected at least 0; rec"):
        registry.spec_from_json(values)


def test_heads_that_do_not_divide_the_channels_are_refused():
    with pytest.raises(InputError, match="expected a multiple of 5; received 24"):
        replace(SMALL, heads=5)


@pytest.mark.torch
@pytest.mark.parametrize("frames", [100, 998])
@pytest.mark.parametrize(
    "spec",
    [SMALL, pytest.param(registry.named_spec("passt_s"), marks=pytest.mark.slow)],
    ids=["small", "passt_s"],
)
def test_logits_and_features_agree_with_pytorch(tmp_path, spec, frames):
    import torch

    from dcase_system.models.checkpoints.convert import convert
    from dcase_system.models.checkpoints.torch_file import read_state_dict
    from tests.models.torch_networks import randomise
    from tests.models.torch_passt import PaSST

    reference = randomise(PaSST(spec), seed=1)
    torch.save(reference.state_dict(), tmp_path / "passt.pt")
    converted = convert(read_state_dict(tmp_path / "passt.pt").tensors, spec, "passt.pt")
    assert [left.name for left in converted.left_out] == ["head_dist.weight", "head_dist.bias"]
    x = np.random.default_rng(0).normal(size=(2, 128, frames)).astype(np.float32)
    with torch.no_grad():
        expected = [output.numpy() for output in reference(torch.from_numpy(x)[:, None])]
    outputs = passt_features(converted.network)(x[..., None])
    for output, wanted in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(output, wanted, atol=1e-4, rtol=0)
        assert np.ptp(wanted[0] - wanted[1]) > 1e-2  # the inputs do reach the outputs
