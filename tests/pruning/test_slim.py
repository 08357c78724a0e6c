"""Networks without some channels: published widths, and the same outputs as with them hidden."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.models.cp_mobile import cp_mobile, sscp_mobile
from dcase_system.models.graph.read import channel_groups
from dcase_system.models.widths import spec_of_network
from dcase_system.pruning.choose import uniform_kept
from dcase_system.pruning.importance import l1_importance
from dcase_system.pruning.masks import kept_by_masks, masked_model, set_masks
from dcase_system.pruning.slim import slim
from tests.pruning.networks import (
    assert_masked_is_slim,
    conv,
    dense_net,
    norm_relu,
    random_inputs,
    random_kept,
    randomise,
)

L = keras.layers
SMALL_CNN10 = CNN10Spec(blocks=((8, 6), (8,), (12, 10), (9, 7)), embedding=9, classes=3)


def pruned(model: keras.Model, ratio: float) -> keras.Model:
    return slim(model, uniform_kept(l1_importance(model), ratio))


def widths(model: keras.Model) -> list[int]:
    names = ["stem1_a", "stem1_b", "block1_expand", "block4_project"]
    names += ["block5_expand", "block6_project"]
    return [model.get_layer(f"{name}_conv").filters for name in names]


def counts(model: keras.Model) -> tuple[int, int]:
    counted = count(model)
    return counted.params, counted.macs


def test_base_64_at_one_half_is_the_submitted_s1():
    spec = sscp_mobile(64)
    small = pruned(registry.build(spec), 0.5)
    assert widths(small) == [8, 32, 72, 56, 124, 104]
    assert counts(small) == (63_748, 29_982_132)
    assert spec_of_network(spec, small) == registry.named_spec("sscp_mobile_s1")


def test_base_96_in_two_steps_is_the_submitted_s3_and_in_one_s2():
    spec = sscp_mobile(96)
    network = registry.build(spec)
    middle = pruned(network, 0.34)
    assert widths(middle) == [16, 64, 138, 117, 254, 206]
    small = pruned(middle, 0.51)
    assert widths(small) == [8, 32, 68, 58, 125, 101]
    assert counts(small) == (63_215, 29_221_122)
    assert spec_of_network(spec, small) == registry.named_spec("sscp_mobile_s3")
    printed = pruned(network, 0.67)
    assert widths(printed) == [8, 32, 69, 59, 127, 103]
    assert counts(printed) == (64_875, 29_840_890)
    assert count(printed).bytes("float16") > 128_000
    assert spec_of_network(spec, printed) == registry.named_spec("sscp_mobile_s2")


@pytest.mark.parametrize("ratio", [0.3, 0.5])
@pytest.mark.parametrize(
    "spec",
    [
        replace(sscp_mobile(32), input_shape=(32, 33)),
        replace(cp_mobile(), input_shape=(32, 33)),
        replace(registry.named_spec("cp_mobile_2023"), input_shape=(32, 33)),
        SMALL_CNN10,
    ],
    ids=["sscp_mobile", "cp_mobile", "cp_mobile_2023", "cnn10"],
)
def test_hidden_is_removed_and_the_spec_builds_the_same_network(spec, ratio):
    network = randomise(registry.build(spec))
    small = assert_masked_is_slim(network, uniform_kept(l1_importance(network), ratio), 1e-5)
    if getattr(spec, "response_norm", False):
        assert spec_of_network(spec, small).stem_channels == spec.stem_channels
    again = registry.build(spec_of_network(spec, small))
    again.set_weights(small.get_weights())
    x = random_inputs(network)
    np.testing.assert_array_equal(again(x), small(x))


def test_masks_matter_and_say_what_they_keep():
    network = randomise(dense_net())
    masked, x = masked_model(network), random_inputs(network)
    kept = random_kept(channel_groups(network), np.random.default_rng(3))
    set_masks(masked, kept)
    assert np.abs(np.asarray(masked(x)) - np.asarray(network(x))).max() > 0.01
    found = kept_by_masks(masked)
    assert all((found[name] == kept[name]).all() for name in kept)
    assert channel_groups(masked) == channel_groups(network)
    np.testing.assert_allclose(slim(masked, found)(x), slim(network, kept)(x), atol=1e-6)
    set_masks(masked, {})
    np.testing.assert_array_equal(masked(x), network(x))


@pytest.mark.parametrize("seed", range(4))
def test_concatenation_gate_and_flattened_classifier(seed):
    network = randomise(dense_net(), seed)
    kept = random_kept(channel_groups(network), np.random.default_rng(seed))
    small = assert_masked_is_slim(network, kept, 1e-5)
    assert small.get_layer("gate_map").target_shape == (1, 1, len(kept["transition"]))
    assert small.get_layer("classifier").kernel.shape == (4 * len(kept["transition"]), 5)


def _many_layers() -> keras.Model:
    inputs = keras.Input((12, 10, 3))
    x = L.SeparableConv2D(8, 3, depth_multiplier=2, name="separable1")(inputs)
    x = L.SeparableConv2D(6, 3, depth_multiplier=2, name="separable2")(
        L.PReLU(shared_axes=(1, 2))(x)
    )
    x = L.DepthwiseConv2D(3, depth_multiplier=3, padding="same")(L.PReLU()(x))
    x = L.Conv2DTranspose(7, 2, strides=2, name="transposed")(norm_relu(x))
    shared = L.Conv2D(7, 3, padding="same", name="shared", activation="elu")
    x = L.Maximum()([shared(x), shared(shared(x))])
    x = keras.ops.relu(2.0 * x + 0.5) * conv(x, 1, "map")
    x = L.Reshape((-1, 7))(L.Cropping2D(1)(L.UpSampling2D(2)(L.MaxPooling2D(2)(x))))
    x = L.Permute((2, 1))(L.Conv1D(9, 3, name="line")(x))
    x = L.Subtract()([x, L.Permute((2, 1))(L.Dense(9, name="columns")(L.Permute((2, 1))(x)))])
    x = L.Permute((2, 1))(L.Rescaling(50.0)(L.Multiply()([x, L.Softmax(axis=-1)(x)])))
    return keras.Model(inputs, L.Dense(3)(L.GlobalMaxPooling1D()(x)), name="many_layers")


@pytest.mark.parametrize("seed", range(3))
def test_other_layers(seed):
    network = randomise(_many_layers(), seed)
    names = {group.name for group in channel_groups(network)}
    assert names == {"separable1", "separable2", "transposed", "line"}
    generator = _generator(seed)
    scores = {group.name: generator.random(group.size) for group in channel_groups(network)}
    assert_masked_is_slim(network, uniform_kept(scores, 0.4), 1e-5)


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_names_precision_and_trainable_flags_stay():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = dense_net()
    finally:
        keras.config.set_dtype_policy("float32")
    network.get_layer("growth1").trainable = False
    kept = random_kept(channel_groups(network), _generator(0))
    masked, small = masked_model(network), slim(network, kept)
    assert [layer.name for layer in small.layers] == [layer.name for layer in network.layers]
    assert small.name == network.name
    for old, new in zip(network.layers, small.layers, strict=True):
        assert type(new) is type(old)
        if not isinstance(new, L.InputLayer):
            assert new.dtype_policy.name == old.dtype_policy.name
        assert new.trainable == old.trainable
    assert not small.get_layer("growth1").trainable
    set_masks(masked, kept)
    x = random_inputs(network)
    np.testing.assert_allclose(masked(x), small(x), atol=1e-2)
    network.trainable = False
    assert not slim(network, kept).trainable_weights


def test_slim_networks_save_and_load(tmp_path):
    network = randomise(dense_net())
    kept = random_kept(channel_groups(network), _generator(1))
    masked, small, x = masked_model(network), slim(network, kept), random_inputs(network)
    set_masks(masked, kept)
    for model in (masked, small):
        model.save(tmp_path / "network.keras")
        loaded = keras.saving.load_model(tmp_path / "network.keras")
        np.testing.assert_allclose(loaded(x), model(x), atol=1e-6)


def test_several_inputs_and_outputs_keep_their_structure():
    inputs = {"a": keras.Input((4,), name="a"), "b": keras.Input((3,), name="b")}
    x = L.Add()([L.Dense(6, name="left")(inputs["a"]), L.Dense(6, name="right")(inputs["b"])])
    network = keras.Model(inputs, {"y": L.Dense(2)(x), "z": L.Dense(1)(x)})
    small = slim(network, {"left": np.array([1, 4])})
    x = {"a": np.ones((2, 4), np.float32), "b": np.ones((2, 3), np.float32)}
    masked = masked_model(network)
    set_masks(masked, {"left": np.array([1, 4])})
    for name in ("y", "z"):
        np.testing.assert_allclose(small(x)[name], masked(x)[name], atol=1e-6)


def test_inputs_that_are_sparse_or_may_be_missing_stay_so():
    class Sum(L.Layer):
        def call(self, inputs):
            dense, other = inputs
            return dense if other is None else dense + other

        def compute_output_shape(self, input_shape):
            return input_shape[0]

    sparse, other = keras.Input((4,), sparse=True), keras.Input((6,), optional=True)
    x = Sum()([L.Dense(6)(sparse), other])
    network = keras.Model([sparse, other], L.Dense(2)(L.Dense(8, name="hidden")(x)))
    x = [tf.sparse.eye(3, 4), None]
    masked = masked_model(network)
    set_masks(masked, {"hidden": np.arange(5)})
    small = slim(network, {"hidden": np.arange(5)})
    np.testing.assert_allclose(small(x), masked(x), atol=1e-6)


def test_compiled_networks_are_not_compiled_again():
    network = dense_net()
    network.compile("adam", loss=lambda y_true, y_pred: y_pred)
    assert not slim(network, {}).compiled
    assert not masked_model(network).compiled


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ({"stem": []}, "channel group stem: does not list the channels to keep; expected at least"),
        ({"stem": [6]}, "channel group stem: has no such channels; expected different .* below 6"),
        ({"stem": [-1]}, "channel group stem: has no such channels"),
        ({"stem": [1, 1]}, "channel group stem: has no such channels"),
        ({"stem": [0.5]}, "channel group stem: does not list"),
        ({"classifier": [0]}, r"classifier: no such channel group; expected stem \| bottleneck1"),
    ],
)
def test_kept_channels_that_do_not_fit_are_refused_with_the_groups_name(kept, message):
    network = dense_net()
    for use in (slim, lambda model, wrong: set_masks(masked_model(model), wrong)):
        with pytest.raises(InputError, match=message):
            use(network, {name: np.array(value) for name, value in kept.items()})


def test_a_network_is_masked_once():
    with pytest.raises(InputError, match="network dense_net: has no masks; expected one from mas"):
        set_masks(dense_net(), {})
    with pytest.raises(InputError, match="network dense_net: has no masks"):
        kept_by_masks(dense_net())
    with pytest.raises(InputError, match="network dense_net: already has masks"):
        masked_model(masked_model(dense_net()))
