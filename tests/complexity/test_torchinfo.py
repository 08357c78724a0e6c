"""The count of each kind of layer beside that of torchinfo, which the organisers count with."""

import keras
import pytest

from dcase_system.complexity.counter import count

pytestmark = pytest.mark.torch
L = keras.layers
IMAGE = (12, 10, 4)
FRAMES = (9, 6)


def _torch():
    pytest.importorskip("torchinfo")
    return pytest.importorskip("torch")


class TwoConvolutions(L.Layer):
    """A custom block that calls one layer twice and one once."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.shared = L.Conv2D(4, 3, padding="same")
        self.last = L.Conv2D(5, 3)

    def call(self, inputs):
        return self.last(self.shared(self.shared(inputs)))


class ScaledConvolution(L.Conv2D):
    def call(self, inputs):
        return 2.0 * super().call(inputs)


def _frozen(layer: L.Layer) -> L.Layer:
    layer.trainable = False
    return layer


def _twice(layer: L.Layer):
    return lambda inputs: layer(layer(inputs))


def _nested_at_two_sizes(inputs):
    inner = keras.Sequential([keras.Input((None, None, 4)), L.Conv2D(4, 3, padding="same")])
    return L.Concatenate()([L.Flatten()(inner(inputs)), L.Flatten()(inner(L.MaxPool2D(2)(inputs)))])


def _behind_a_lambda(layer: L.Layer):
    return L.Lambda(lambda inputs: layer(inputs))


# For each kind: input without the batch, the layer in Keras, and from `torch.nn` the same one with
# the input in PyTorch's order.
KINDS = {
    "conv1d": (FRAMES, L.Conv1D(5, 3), lambda nn: (nn.Conv1d(6, 5, 3), (6, 9))),
    "conv1d_causal": (
        FRAMES,
        L.Conv1D(5, 3, padding="causal"),
        lambda nn: (nn.Sequential(nn.ZeroPad1d((2, 0)), nn.Conv1d(6, 5, 3)), (6, 9)),
    ),
    "conv2d": (IMAGE, L.Conv2D(5, 3), lambda nn: (nn.Conv2d(4, 5, 3), (4, 12, 10))),
    "conv2d_no_bias": (
        IMAGE,
        L.Conv2D(5, 3, use_bias=False),
        lambda nn: (nn.Conv2d(4, 5, 3, bias=False), (4, 12, 10)),
    ),
    "conv2d_strides": (
        IMAGE,
        L.Conv2D(5, (3, 1), strides=(2, 3)),
        lambda nn: (nn.Conv2d(4, 5, (3, 1), (2, 3)), (4, 12, 10)),
    ),
    "conv2d_dilated": (
        IMAGE,
        L.Conv2D(5, 3, dilation_rate=2),
        lambda nn: (nn.Conv2d(4, 5, 3, dilation=2), (4, 12, 10)),
    ),
    "conv2d_groups": (
        IMAGE,
        L.Conv2D(6, 3, groups=2),
        lambda nn: (nn.Conv2d(4, 6, 3, groups=2), (4, 12, 10)),
    ),
    "conv2d_channels_first": (
        (4, 12, 10),
        L.Conv2D(5, 3, data_format="channels_first"),
        lambda nn: (nn.Conv2d(4, 5, 3), (4, 12, 10)),
    ),
    "conv2d_frozen": (
        IMAGE,
        _frozen(L.Conv2D(5, 3)),
        lambda nn: (nn.Conv2d(4, 5, 3).requires_grad_(False), (4, 12, 10)),
    ),
    "conv3d": (
        (6, 5, 7, 2),
        L.Conv3D(3, 2),
        lambda nn: (nn.Conv3d(2, 3, 2), (2, 6, 5, 7)),
    ),
    "conv1d_transpose": (
        FRAMES,
        L.Conv1DTranspose(5, 3, 2),
        lambda nn: (nn.ConvTranspose1d(6, 5, 3, 2), (6, 9)),
    ),
    "conv2d_transpose": (
        IMAGE,
        L.Conv2DTranspose(5, 3, 2),
        lambda nn: (nn.ConvTranspose2d(4, 5, 3, 2), (4, 12, 10)),
    ),
    "conv3d_transpose": (
        (6, 5, 7, 2),
        L.Conv3DTranspose(3, 2),
        lambda nn: (nn.ConvTranspose3d(2, 3, 2), (2, 6, 5, 7)),
    ),
    "depthwise_conv1d": (
        FRAMES,
        L.DepthwiseConv1D(3),
        lambda nn: (nn.Conv1d(6, 6, 3, groups=6), (6, 9)),
    ),
    "depthwise_conv2d": (
        IMAGE,
        L.DepthwiseConv2D(3, depth_multiplier=2),
        lambda nn: (nn.Conv2d(4, 8, 3, groups=4), (4, 12, 10)),
    ),
    "separable_conv1d": (
        FRAMES,
        L.SeparableConv1D(5, 3),
        lambda nn: (
            nn.Sequential(nn.Conv1d(6, 6, 3, groups=6, bias=False), nn.Conv1d(6, 5, 1)),
            (6, 9),
        ),
    ),
    "separable_conv2d": (
        IMAGE,
        L.SeparableConv2D(5, 3, strides=2, depth_multiplier=2),
        lambda nn: (
            nn.Sequential(nn.Conv2d(4, 8, 3, 2, groups=4, bias=False), nn.Conv2d(8, 5, 1)),
            (4, 12, 10),
        ),
    ),
    "conv_of_ones_own": (
        IMAGE,
        ScaledConvolution(5, 3),
        lambda nn: (nn.Conv2d(4, 5, 3), (4, 12, 10)),
    ),
    "called_twice": (
        IMAGE,
        _twice(L.Conv2D(4, 3)),
        lambda nn: (nn.Sequential(*[nn.Conv2d(4, 4, 3)] * 2), (4, 12, 10)),
    ),
    "behind_a_lambda": (
        IMAGE,
        _behind_a_lambda(L.Conv2D(5, 3)),
        lambda nn: (nn.Conv2d(4, 5, 3), (4, 12, 10)),
    ),
    "block_of_ones_own": (
        IMAGE,
        TwoConvolutions(),
        lambda nn: (
            nn.Sequential(*[nn.Conv2d(4, 4, 3, padding=1)] * 2, nn.Conv2d(4, 5, 3)),
            (4, 12, 10),
        ),
    ),
    "spectral_normalization": (
        IMAGE,
        L.SpectralNormalization(L.Conv2D(5, 3)),
        lambda nn: (nn.Conv2d(4, 5, 3), (4, 12, 10)),
    ),
    "dense": ((6,), L.Dense(5), lambda nn: (nn.Linear(6, 5), (6,))),
    "dense_on_a_map": (IMAGE, L.Dense(5), lambda nn: (nn.Linear(4, 5), IMAGE)),
    "einsum_dense": (
        FRAMES,
        L.EinsumDense("btc,cd->btd", (None, 5), bias_axes="d"),
        lambda nn: (nn.Linear(6, 5), FRAMES),
    ),
    "batch_normalization": (
        IMAGE,
        L.BatchNormalization(),
        lambda nn: (nn.BatchNorm2d(4), (4, 12, 10)),
    ),
    "layer_normalization": (FRAMES, L.LayerNormalization(), lambda nn: (nn.LayerNorm(6), FRAMES)),
    "group_normalization": (
        IMAGE,
        L.GroupNormalization(2),
        lambda nn: (nn.GroupNorm(2, 4), (4, 12, 10)),
    ),
    "rms_normalization": (FRAMES, L.RMSNormalization(), lambda nn: (nn.RMSNorm(6), FRAMES)),
    "prelu": ((6,), L.PReLU(), lambda nn: (nn.PReLU(6), (6,))),
    "relu": (IMAGE, L.ReLU(), lambda nn: (nn.ReLU(), (4, 12, 10))),
    "average_pooling": (IMAGE, L.AveragePooling2D(2), lambda nn: (nn.AvgPool2d(2), (4, 12, 10))),
    "simple_rnn": (
        FRAMES,
        L.SimpleRNN(5, use_bias=False),
        lambda nn: (nn.RNN(6, 5, bias=False, batch_first=True), FRAMES),
    ),
    "lstm": (
        FRAMES,
        L.LSTM(5, use_bias=False, return_sequences=True),
        lambda nn: (nn.LSTM(6, 5, bias=False, batch_first=True), FRAMES),
    ),
    # Keras's GRU has PyTorch's two biases.
    "gru": (FRAMES, L.GRU(5), lambda nn: (nn.GRU(6, 5, batch_first=True), FRAMES)),
    "rnn_of_stacked_cells": (
        FRAMES,
        L.RNN([L.GRUCell(5), L.GRUCell(5)]),
        lambda nn: (nn.GRU(6, 5, num_layers=2, batch_first=True), FRAMES),
    ),
    "bidirectional": (
        FRAMES,
        L.Bidirectional(L.GRU(5)),
        lambda nn: (nn.GRU(6, 5, batch_first=True, bidirectional=True), FRAMES),
    ),
}


def _check(keras_model: keras.Model, module, shape) -> None:
    import torchinfo

    expected = torchinfo.summary(module, (1, *shape), verbose=0)
    counted = count(keras_model)
    assert counted.params == expected.total_params
    assert counted.macs == expected.total_mult_adds
    assert counted.params == sum(layer.params for layer in counted.layers)


@pytest.mark.parametrize("kind", KINDS)
def test_counts_are_those_of_torchinfo(kind):
    torch = _torch()
    shape, layer, in_torch = KINDS[kind]
    inputs = keras.Input(shape)
    _check(keras.Model(inputs, layer(inputs)), *in_torch(torch.nn))


def test_a_nested_network_counts_at_each_size_it_is_called_with():
    torch = _torch()

    class InTorch(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.pool = torch.nn.Conv2d(4, 4, 3, padding=1), torch.nn.MaxPool2d(2)

        def forward(self, x):
            return self.inner(x).sum(), self.inner(self.pool(x)).sum()

    inputs = keras.Input(IMAGE)
    _check(keras.Model(inputs, _nested_at_two_sizes(inputs)), InTorch(), (4, 12, 10))


@pytest.mark.parametrize("inner", ["dense", "conv2d", "separable_conv2d", "batch_normalization"])
def test_time_distributed_counts_every_frame(inner):
    """In PyTorch frames are folded into the batch."""
    import torchinfo

    torch = _torch()
    shape, layer, in_torch = KINDS[inner]
    module, channels_first = in_torch(torch.nn)
    expected = torchinfo.summary(module, (3, *channels_first), verbose=0)
    inputs = keras.Input((3, *shape))
    clone = type(layer).from_config(layer.get_config())
    counted = count(keras.Model(inputs, L.TimeDistributed(clone)(inputs)))
    assert (counted.params, counted.macs) == (expected.total_params, expected.total_mult_adds)


def test_attention_costs_its_four_dense_layers():
    """PyTorch's own module hides them from torchinfo; written out, they count."""
    import torchinfo

    torch = _torch()
    layers = [torch.nn.Linear(6, 6) for _ in range(4)]
    expected = torchinfo.summary(torch.nn.Sequential(*layers), (1, *FRAMES), verbose=0)
    inputs = keras.Input(FRAMES)
    counted = count(keras.Model(inputs, L.MultiHeadAttention(2, 3)(inputs, inputs)))
    assert (counted.params, counted.macs) == (expected.total_params, expected.total_mult_adds)
