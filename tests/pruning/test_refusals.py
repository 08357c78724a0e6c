"""Networks whose channels cannot be followed are refused in one line that names the layer."""

import keras
import pytest

from dcase_system.core.errors import InputError
from dcase_system.models.graph.read import channel_groups
from tests.pruning.networks import conv

L = keras.layers


def test_a_network_inside_the_network_is_refused_and_preprocessing_is_not():
    inputs = keras.Input((4, 4, 3))
    preprocessing = keras.Sequential([L.Rescaling(2.0)], name="preprocessing")
    backbone = keras.Sequential([L.Conv2D(4, 1)], name="backbone")
    whole = keras.Model(inputs, conv(conv(preprocessing(inputs), 4, "x"), 2, "head"))
    assert [group.name for group in channel_groups(whole)] == ["x"]
    with pytest.raises(InputError, match="layer backbone: is a nested network; expected a flat"):
        channel_groups(keras.Model(inputs, conv(backbone(inputs), 2, "head")))


def test_channels_on_another_axis_are_refused_by_name():
    inputs = keras.Input((3, 4, 4))
    model = keras.Model(inputs, L.Conv2D(4, 1, data_format="channels_first", name="first")(inputs))
    message = "layer first: its channels cannot be followed; expected channels on the last axis"
    with pytest.raises(InputError, match=message):
        channel_groups(model)


def test_a_weight_in_two_layers_is_refused_by_name():
    class Transposed(L.Layer):
        def __init__(self, source, **options):
            super().__init__(**options)
            self.source = source

        def call(self, inputs):
            return inputs @ keras.ops.transpose(self.source.kernel)

    inputs = keras.Input((4,))
    encoder = L.Dense(3, name="encoder")
    x = L.Dense(3, name="hidden")(encoder(inputs))
    model = keras.Model(inputs, Transposed(encoder, name="decoder")(x))
    with pytest.raises(InputError, match=r"layer decoder: shares a weight .* a weight of encoder"):
        channel_groups(model)


def test_a_subclassed_network_is_refused():
    class Own(keras.Model):
        pass

    with pytest.raises(InputError, match="network own: its graph cannot be read; expected a func"):
        channel_groups(Own(name="own"))
