import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.models import registry

# The layer table in the 2024 baseline's README: (kernel parameters, MACs) of each convolution.
BASELINE_CONVOLUTIONS = {
    "stem1_a_conv": (72, 304_128),
    "stem1_b_conv": (2_304, 2_506_752),
    "block1_expand_conv": (2_048, 2_228_224),
    "block1_depthwise1_conv": (576, 626_688),
    "block1_project_conv": (2_048, 2_228_224),
    "block2_expand_conv": (2_048, 2_228_224),
    "block2_depthwise1_conv": (576, 626_688),
    "block2_project_conv": (2_048, 2_228_224),
    "block3_expand_conv": (2_048, 2_228_224),
    "block3_depthwise1_conv": (576, 331_776),
    "block3_project_conv": (2_048, 1_179_648),
    "block4_expand_conv": (2_048, 1_179_648),
    "block4_depthwise1_conv": (576, 165_888),
    "block4_project_conv": (3_584, 1_032_192),
    "block5_expand_conv": (6_720, 1_935_360),
    "block5_depthwise1_conv": (1_080, 311_040),
    "block5_project_conv": (6_720, 1_935_360),
    "block6_expand_conv": (6_720, 1_935_360),
    "block6_depthwise1_conv": (1_080, 311_040),
    "block6_project_conv": (12_480, 3_594_240),
    "head_conv": (1_040, 299_520),
}


def test_baseline_layer_by_layer():
    counted = count(registry.build(registry.named_spec("cp_mobile")))
    convolutions = {
        layer.name: (layer.params, layer.macs)
        for layer in counted.layers
        if layer.name.endswith("_conv")
    }
    assert convolutions == BASELINE_CONVOLUTIONS
    norms = [layer for layer in counted.layers if layer.name.endswith("_bn")]
    assert all(layer.params == layer.macs == 2 * layer.output_shape[-1] for layer in norms)
    assert counted.params == 61_148
    assert counted.macs == 29_419_156
    assert [counted.bytes(precision) for precision in ("float32", "float16", "int8")] == [
        244_592,
        122_296,
        61_148,
    ]


def test_nessis_tflite_count_of_the_baseline():
    """As NeSsi itself counted on the float32 `.tflite` of this network."""
    assert count(registry.build(registry.named_spec("cp_mobile"))).nessi_macs == 29_689_408


@pytest.mark.parametrize(
    ("layer", "params", "macs"),
    [
        (keras.layers.Conv2D(5, 3, padding="same"), 3 * 3 * 4 * 5 + 5, (3 * 3 * 4 * 5 + 5) * 8 * 6),
        (
            keras.layers.Conv2D(6, 3, strides=2, groups=2, use_bias=False),
            3 * 3 * 2 * 6,
            3 * 3 * 2 * 6 * 3 * 2,
        ),
        (keras.layers.DepthwiseConv2D(3, use_bias=False), 36, 36 * 6 * 4),
        (keras.layers.BatchNormalization(), 8, 8),
        (keras.layers.Dense(7), 4 * 7 + 7, 4 * 7 + 7),
        (keras.layers.ReLU(), 0, 0),
        (keras.layers.AveragePooling2D(2), 0, 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.layers.Layer) else None,
)
def test_each_kind_of_layer(layer, params, macs):
    inputs = keras.Input((8, 6, 4))
    counted = count(keras.Model(inputs, layer(inputs)))
    assert (counted.params, counted.macs) == (params, macs)


def test_frozen_parameters_count_and_moving_statistics_do_not():
    network = registry.build(registry.named_spec("cp_mobile"))
    assert network.count_params() > 61_148
    network.trainable = False
    assert (count(network).params, count(network).macs) == (61_148, 29_419_156)


def test_zeros_are_parameters_but_not_non_zero_ones():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(3, use_bias=False)(inputs))
    model.set_weights([np.array([[1, 0, 2], [0, 0, 0], [3, 0, 0], [0, 4, 0]], np.float32)])
    counted = count(model)
    assert (counted.params, counted.nonzero_params) == (12, 4)


def test_nested_models_are_counted_through():
    network = registry.build(registry.named_spec("sscp_mobile_32"))
    inputs = keras.Input((256, 65, 1))
    assert count(keras.Model(inputs, network(inputs))).macs == 29_654_916


def test_unknown_input_length_is_refused():
    inputs = keras.Input((None, 6, 4))
    with pytest.raises(InputError, match="takes inputs of any size"):
        count(keras.Model(inputs, keras.layers.Conv2D(2, 1)(inputs)))


def test_networks_for_any_number_of_frames_are_counted_at_their_specs_input_shape():
    counted = count(registry.build_fixed(registry.named_spec("cnn10")))
    # 64 x 1001 log-mel; two 3x3 convolutions a block, on maps halved after each block.
    channels, positions = (1, 64, 128, 256, 512), (64 * 1_001, 32 * 500, 16 * 250, 8 * 125)
    macs = sum(
        9 * (before * after + after * after) * cells
        for before, after, cells in zip(channels[:-1], channels[1:], positions, strict=True)
    )
    convolutions = [layer for layer in counted.layers if layer.kind == "Conv2D"]
    assert sum(layer.macs for layer in convolutions) == macs
    assert counted.params == 5_219_279


def test_what_torchinfo_does_not_see_is_free():
    counted = count(registry.build_fixed(registry.named_spec("passt_tiny")))
    free = {layer.name for layer in counted.layers if layer.params and not layer.macs}
    assert free == {"grid", "tokens"}


class OwnConvolution(keras.layers.Layer):
    """A layer whose cost does not follow from its weights."""

    def build(self, input_shape):
        self.kernel = self.add_weight((3, 3, input_shape[-1], 5), name="kernel")

    def call(self, inputs):
        return keras.ops.conv(inputs, self.kernel)


class DenseThatConvolves(keras.layers.Dense):
    def call(self, inputs):
        return keras.ops.conv(inputs, self.kernel[None, None])


class HeldCell(keras.layers.Layer):
    """A recurrent cell that inherits from none of Keras's."""

    state_size = 4

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 4), name="kernel")

    def call(self, inputs, states):
        outputs = keras.ops.matmul(inputs, self.kernel)
        return outputs, [outputs]


def _quantized(inputs):
    dense = keras.layers.Dense(3, name="quantized")
    outputs = dense(inputs)
    dense.quantize("int8")
    return outputs


@pytest.mark.parametrize(
    ("shape", "layer", "message"),
    [
        ((8, 6, 4), OwnConvolution(name="mine"), "layer mine: is a OwnConvolution with weights"),
        ((8, 6, 4), DenseThatConvolves(5, name="odd"), "layer odd: is a DenseThatConvolves"),
        ((8, 4), keras.layers.RNN(HeldCell(), name="loop"), "layer loop: has a cell whose cost"),
        ((8, 4), _quantized, "layer quantized: was quantized by Keras"),
        (
            (5, 8, 6, 4),
            keras.layers.TimeDistributed(DenseThatConvolves(5, name="inner")),
            "layer inner: is a DenseThatConvolves",
        ),
    ],
    ids=["own", "own_kind_of_dense", "own_cell", "quantized", "own_in_a_wrapper"],
)
def test_a_layer_whose_cost_is_not_known_is_refused_by_its_name(shape, layer, message):
    inputs = keras.Input(shape)
    model = keras.Model(inputs, layer(inputs))
    with pytest.raises(InputError, match=message):
        count(model)


def test_weights_that_belong_to_no_layer_are_refused():
    kernel = tf.Variable(tf.zeros((3, 3, 4, 5)))
    inputs = keras.Input((8, 6, 4))
    hidden = keras.layers.Lambda(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"))
    with pytest.raises(InputError, match="1 variables of 180 numbers"):
        count(keras.Model(inputs, hidden(inputs)))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.convolution = keras.layers.Conv2D(5, 3)

    def call(self, inputs):
        return self.convolution(inputs)


def test_a_subclassed_network_is_counted_once_it_has_seen_an_input():
    network = Subclassed()
    with pytest.raises(InputError, match="has no input shape"):
        count(network)
    network(np.zeros((2, 8, 6, 4), np.float32))
    assert count(network).macs == (3 * 3 * 4 * 5 + 5) * 6 * 4


@pytest.mark.parametrize("outputs", [1, 2])
def test_layers_with_several_outputs_and_networks_with_several_inputs_are_counted(outputs):
    sequence, state = keras.Input((7, 3)), keras.Input((4,))
    recurrent = keras.layers.GRU(4, return_state=True)(sequence, initial_state=state)
    network = keras.Model({"state": state, "sequence": sequence}, recurrent[:outputs])
    assert count(network).macs == 7 * (3 * (3 + 4) * 4 + 2 * 3 * 4)


def test_convolutional_recurrent_layers_count_every_frame_and_position():
    inputs = keras.Input((5, 8, 6, 2))
    for return_sequences in (False, True):
        layer = keras.layers.ConvLSTM2D(3, 3, return_sequences=return_sequences)
        params = 3 * 3 * 2 * 12 + 3 * 3 * 3 * 12 + 12
        counted = count(keras.Model(inputs, layer(inputs)))
        assert (counted.params, counted.macs) == (params, params * 5 * 6 * 4)


def test_counting_leaves_keras_as_it_was():
    before = keras.Layer.__call__
    with pytest.raises(InputError):
        count(keras.Sequential([keras.Input((8, 6, 4)), OwnConvolution()]))
    assert keras.Layer.__call__ is before
