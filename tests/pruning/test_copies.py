"""What a slim network holds of the user's own: the objects themselves, and no weight twice."""

import functools
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.core.errors import InputError
from dcase_system.models.graph.copies import copied, copy_configs
from dcase_system.models.graph.read import channel_groups
from dcase_system.models.layers import GlobalResponseNormalization
from dcase_system.pruning.choose import uniform_kept
from dcase_system.pruning.importance import l1_importance
from dcase_system.pruning.masks import kept_by_masks, masked_model, set_masks
from dcase_system.pruning.slim import slim
from tests.pruning import own
from tests.pruning.networks import assert_masked_is_slim, conv, randomise

L = keras.layers
KERNELS: dict = {
    "Conv2D": lambda **options: L.Conv2D(6, 3, **options),
    "Dense": lambda **options: L.Dense(6, **options),
    "DepthwiseConv2D": lambda **options: L.DepthwiseConv2D(3, depth_multiplier=2, **options),
    "SeparableConv2D": lambda **options: L.SeparableConv2D(6, 1, **options),
    "Conv2DTranspose": lambda **options: L.Conv2DTranspose(6, 2, **options),
    "Activation": L.Activation,
}


def around(*layers: keras.Layer) -> keras.Model:
    """Layers between two convolutions that can be pruned."""
    inputs = keras.Input((6, 6, 3))
    x = conv(inputs, 8, "first", 3)
    for layer in layers:
        x = layer(x)
    x = L.GlobalAveragePooling2D()(conv(x, 8, "last", activation="tanh"))
    return randomise(keras.Model(inputs, L.Dense(3, name="classes")(x)))


def pruned(network: keras.Model) -> keras.Model:
    kept = uniform_kept(l1_importance(network), 0.3)
    assert kept
    return assert_masked_is_slim(network, kept, 1e-5, lively=False)


@pytest.mark.parametrize("activation", own.ACTIVATIONS)
def test_an_activation_is_carried_itself_whatever_it_is_called(activation):
    layers = [
        make(activation=own.ACTIVATIONS[activation](), name=name) for name, make in KERNELS.items()
    ]
    small = pruned(around(*layers))
    for layer in layers:
        assert small.get_layer(layer.name).activation is layer.activation


@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.Lambda(lambda x: x * x),
        lambda: L.Lambda(own.relu),
        lambda: L.Lambda(functools.partial(keras.ops.leaky_relu, negative_slope=0.5)),
        lambda: own.Scale(1.5),
        lambda: own.ReLU(),
        lambda: keras.Sequential([keras.Input((6, 6, 8)), L.Lambda(own.relu)]),
    ],
)
def test_a_layer_without_weights_that_no_config_describes_is_used_as_it_is(layer):
    it = layer()
    small = pruned(around(it))
    assert small.get_layer(it.name) is it


@pytest.mark.parametrize(
    "layer",
    [
        lambda: own.Gain(2, own.relu),
        lambda: own.Block(3),
        lambda: own.Conv2D(6, 1, activation=own.relu),
        lambda: own.Dense(6, own.gelu),
        lambda: own.Narrow(),
        lambda: L.LayerNormalization(),
        lambda: L.Conv2D(8, 1, groups=2, activation=own.relu),
        lambda: L.Conv2D(8, 1, activation=L.PReLU()),
        lambda: GlobalResponseNormalization(),
        lambda: L.TimeDistributed(L.Conv1D(6, 3)),
        lambda: keras.Sequential([keras.Input((6, 6, 8)), L.Rescaling(2.0), own.Registered(2)]),
        lambda: _adapted(),
        lambda: _of_low_rank(),
    ],
)
def test_a_layer_with_weights_is_made_again(layer):
    it = layer()
    network = around(it)
    small = pruned(network)
    copy = small.get_layer(it.name)
    assert copy is not it
    assert type(copy) is type(it)
    assert len(copy.weights) == len(it.weights) > 0
    x = np.ones((1, 6, 6, 3), np.float32)
    before = np.asarray(network(x))
    for weight in small.weights:
        weight.assign(weight + tf.ones_like(weight))
    np.testing.assert_array_equal(network(x), before)


def _adapted() -> keras.Layer:
    layer = L.Normalization()
    layer.adapt(np.random.default_rng(0).normal(3, 2, (50, 6, 6, 8)))
    return layer


def _of_low_rank() -> keras.Layer:
    layer = L.Dense(6)
    layer.build((None, 6, 6, 8))
    layer.enable_lora(2)
    return layer


@pytest.mark.parametrize(
    "layer",
    [lambda: L.Conv2D(8, 1, activation=L.PReLU()), lambda: L.Activation(L.PReLU())],
)
def test_weights_that_are_yet_to_come_are_not_of_both_networks(layer):
    it = layer()
    inputs = keras.Input((6, 6, 3))
    network = keras.Model(inputs, it(inputs))
    assert not it.activation.built  # the network has not run
    small = slim(network, {})
    for model in (network, small):
        model(np.ones((1, 6, 6, 3), np.float32))
    mine, its = ({id(x) for x in model.layers[-1].weights} for model in (network, small))
    assert mine
    assert not mine & its


def test_a_vocabulary_within_a_layer_is_refused_and_alone_is_used_as_it_is():
    words = keras.Input((3,), dtype="string")
    lookup = L.StringLookup(name="lookup")
    lookup.adapt(["a", "b", "c"])
    embedding = L.Embedding(4, 5, name="embedding")
    x = keras.Sequential([keras.Input((3,), dtype="string"), lookup, embedding], name="words")
    network = keras.Model(words, L.Dense(2)(x(words)))
    with pytest.raises(InputError, match=r"layer words \(Sequential\): .* \(it holds a vocabulary"):
        slim(network, {})
    network = keras.Model(words, L.Dense(2)(embedding(lookup(words))))
    assert slim(network, {}).get_layer("lookup") is lookup


def test_a_recurrent_layer_keeps_its_own_activation():
    inputs = keras.Input((6, 4))
    x = L.GRU(5, activation=own.relu, return_sequences=True, name="gru")(L.Dense(8)(inputs))
    network = randomise(keras.Model(inputs, L.Dense(2)(L.Dense(8)(x))))
    assert pruned(network).get_layer("gru").activation is own.relu


def test_regularizers_and_constraints_are_carried_themselves():
    mine, bound = own.Mine(0.1), own.Bounded(0.4)
    options = {"kernel_regularizer": mine, "bias_constraint": bound, "activity_regularizer": mine}
    network = around(L.Conv2D(8, 1, name="it", **options))
    small = slim(network, uniform_kept(l1_importance(network), 0.3))
    layer = small.get_layer("it")
    assert (
        layer.kernel_regularizer is layer.activity_regularizer is layer.kernel.regularizer is mine
    )
    assert layer.bias_constraint is layer.bias.constraint is bound
    (penalty,) = small.losses
    assert float(penalty) == pytest.approx(0.1 * np.square(layer.kernel).sum(), rel=1e-5)


def _constant(shape):
    return keras.initializers.Constant(np.full(shape, 0.1, np.float32))


@pytest.mark.parametrize(
    "initializer",
    [
        lambda shape: _constant(shape),
        lambda shape: np.full(shape, 0.1, np.float32),
        lambda shape: own.fixed(shape),
    ],
)
def test_an_initializer_of_one_shape_gives_way_where_that_shape_is_cut(initializer, tmp_path):
    inputs = keras.Input((6, 6, 3))
    cut = L.Conv2D(8, 3, name="cut", kernel_initializer=initializer((3, 3, 3, 8)))
    whole = L.Conv2D(2, 1, name="whole", bias_initializer=_constant((2,)))
    network = keras.Model(inputs, whole(cut(inputs)))
    small = pruned(randomise(network))
    assert isinstance(small.get_layer("cut").kernel_initializer, keras.initializers.GlorotUniform)
    assert small.get_layer("whole").bias_initializer is whole.bias_initializer
    small.save(tmp_path / "small.keras")
    x = np.ones((1, 6, 6, 3), np.float32)
    np.testing.assert_allclose(keras.saving.load_model(tmp_path / "small.keras")(x), small(x))


@pytest.mark.parametrize("kernel", ["Conv2D", "SeparableConv2D", "DepthwiseConv2D"])
def test_an_initializer_of_any_shape_is_carried_itself(kernel):
    def halves(shape, dtype=None):
        return keras.ops.full(shape, 0.5, dtype)

    key = "kernel_initializer" if kernel == "Conv2D" else "depthwise_initializer"
    network = around(KERNELS[kernel](name="it", bias_initializer=halves, **{key: halves}))
    layer = pruned(network).get_layer("it")
    assert getattr(layer, key) is layer.bias_initializer is halves


def test_flags_of_layers_in_both_networks_stay():
    shared, frozen = own.Scale(2.0), L.Lambda(own.relu)
    frozen.trainable = False
    network = around(shared, frozen)
    small = slim(network, {})
    assert shared.trainable
    assert not frozen.trainable
    network.trainable = False
    shared.trainable = True
    small = slim(network, {})
    assert not small.trainable
    assert not network.trainable
    assert shared.trainable


REFUSED = {
    "config of another gain": (
        lambda: own.ForgetfulGain(2, name="it"),
        r"layer it \(ForgetfulGain\): has weights and cannot be copied \(its `power` "
        r"differs\); expected get_config and from_config that recreate the layer",
    ),
    "function under another name": (
        lambda: own.RenamedGain(own.relu, name="it"),
        r"layer it \(RenamedGain\): .* \(its `_function` differs\)",
    ),
    "no config": (
        lambda: own.SecretGain(own.gelu),
        r"layer secret_gain\w* \(SecretGain\): has wei",
    ),
    "weights of both": (
        lambda: own.Sharing(L.LayerNormalization(), name="it"),
        r"layer it \(Sharing\): .* \(the copy would share its weights\)",
    ),
    "own activation within Keras's layer": (
        lambda: L.TimeDistributed(L.Conv1D(6, 3, activation=own.relu), name="it"),
        r"layer it \(TimeDistributed\): .* \(its `\S*activation` differs\); "
        "expected functions and layers in it that are registered with Keras",
    ),
    "own layer called like Keras's": (
        lambda: keras.Sequential([L.LayerNormalization(), own.ReLU()], name="it"),
        r"layer it \(Sequential\): has weights and cannot be copied",
    ),
    "lambda beside weights": (
        lambda: keras.Sequential([L.LayerNormalization(), L.Lambda(lambda x: -x)], name="it"),
        r"layer it \(Sequential\): has weights and cannot be copied",
    ),
    "function beside weights": (
        lambda: keras.Sequential([L.LayerNormalization(), L.Lambda(own.times(2))], name="it"),
        r"layer it \(Sequential\): has weights and cannot be copied",
    ),
    "variable of TensorFlow's": (
        lambda: own.Hidden(3.0, name="it"),
        r"layer it \(Hidden\): .* \(its `factor` differs\)",
    ),
    "regularizer of one shape": (
        lambda: L.Conv2D(8, 1, kernel_regularizer=own.Towards(np.ones((1, 1, 8, 8))), name="it"),
        "layer it: has a regularizer that does not take fewer channels; expected one for a kernel "
        "of any shape; received Towards",
    ),
    "constraint of one shape": (
        lambda: L.Conv2D(8, 1, bias_constraint=own.Above(np.ones(8)), name="it"),
        "layer it: has a constraint that does not take fewer channels; expected one for a bias of",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_copied_is_refused_before_any_training(case):
    layer, message = REFUSED[case]
    network = around(layer())
    for use in (channel_groups, masked_model, lambda model: slim(model, {})):
        with pytest.raises(InputError, match=message) as refusal:
            use(network)
        assert "\n" not in str(refusal.value)


def test_a_refusal_does_not_depend_on_what_a_layer_remembers_of_its_calls():
    layer = own.Remembering(2, name="it")
    network = around(layer)
    masked = masked_model(network)
    masked(np.ones((2, 6, 6, 3), np.float32))
    assert layer.last is not None
    pruned(network)


def test_looking_at_a_network_draws_no_random_numbers():
    network = around(own.Block(3), own.Conv2D(6, 1))
    keras.utils.set_random_seed(7)
    expected = L.Dense(4)
    expected.build((None, 5))
    keras.utils.set_random_seed(7)
    channel_groups(network)
    found = L.Dense(4)
    found.build((None, 5))
    np.testing.assert_array_equal(found.kernel, expected.kernel)


def test_layers_called_like_those_of_keras_stay_what_they_are():
    network = around(own.ReLU(), own.Dense(6, name="b"), own.Conv2D(6, 1, note="x", name="a"))
    small = pruned(network)
    assert type(small.get_layer("a")) is own.Conv2D
    assert small.get_layer("a").note == "x"
    assert small.get_layer("a").filters == 5  # one of six is gone: its channels are understood
    assert type(small.get_layer("b")) is own.Dense
    assert small.get_layer("b").units == 6


def test_a_functional_network_with_a_call_of_its_own_is_refused():
    class Doubled(keras.Model):
        def call(self, inputs, training=None, mask=None):
            return 2 * super().call(inputs, training=training, mask=mask)

    inputs = keras.Input((4, 4, 3))
    network = Doubled(inputs, conv(conv(inputs, 4, "x"), 2, "head"), name="doubled")
    message = "network doubled: may compute something other than its graph; expected a functional"
    for use in (channel_groups, masked_model, lambda model: slim(model, {})):
        with pytest.raises(InputError, match=message):
            use(network)


def test_masks_over_time_pass_channel_masks():
    inputs = keras.Input((7, 4))
    x = L.Dense(8, name="frames")(L.Masking()(inputs))
    x = L.LSTM(5, name="memory")(L.Dense(6, name="more")(x))
    network = randomise(keras.Model(inputs, L.Dense(3)(x)))
    x = np.random.default_rng(0).normal(size=(4, 7, 4)).astype(np.float32)
    x[:, 4:] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Keras says so where a layer ends a mask
        masked = masked_model(network)
        np.testing.assert_array_equal(masked(x), network(x))
    set_masks(masked, {"frames": np.arange(5)})
    small = slim(masked, kept_by_masks(masked))
    np.testing.assert_allclose(small(x), masked(x), atol=1e-6)


def test_a_layer_may_have_the_name_of_a_mask():
    inputs = keras.Input((4, 4, 3))
    x = conv(conv(conv(inputs, 4, "a"), 4, "b_mask"), 4, "b")
    network = keras.Model(inputs, conv(x, 2, "head"))
    masked = masked_model(network)
    set_masks(masked, {"a": np.array([0, 2])})
    assert kept_by_masks(masked)["a"].tolist() == [0, 2]


def test_the_config_of_a_copy_is_not_used_up():
    inputs = keras.Input((6, 4))
    cells = [L.LSTMCell(3), L.GRUCell(2)]
    network = keras.Model(inputs, L.RNN(cells, name="it")(inputs))
    config = copy_configs(network)["it"]
    for _ in range(2):
        assert len(copied(network.get_layer("it"), config).cell.cells) == 2
