"""Networks of random steps; every step takes a map of 6 x 5 and gives one."""

from collections.abc import Callable

import keras
import numpy as np

from tests.pruning import own
from tests.pruning.networks import conv

L = keras.layers
Step = Callable[..., keras.KerasTensor]  # of (map, inputs, width, name)
Chain = list[tuple[str, int]]


def build(chain: Chain, head: str) -> keras.Model:
    inputs = keras.Input((6, 5, 2), name="map")
    x = conv(inputs, 6, "entry", 3)
    for index, (step, width) in enumerate(chain):
        x = STEPS[step](x, inputs, width, f"step{index}")
    return HEADS[head](inputs, x)


def _activation(width: int):
    names = list(own.ACTIVATIONS)
    return own.ACTIVATIONS[names[width % len(names)]]()


def _residual(x, inputs, width, name):
    y = conv(conv(x, width, f"{name}_a", activation="relu"), x.shape[-1], f"{name}_b")
    return L.Add()([x, y])


def _concat(x, inputs, width, name):
    return L.Concatenate()([x, conv(x, width, f"{name}_a"), x][: 2 + width % 2])


def _gate(x, inputs, width, name):
    gate = L.GlobalAveragePooling2D(keepdims=True)(x)
    gate = conv(conv(gate, width, f"{name}_a", activation="relu"), x.shape[-1], f"{name}_b")
    return L.Multiply()([x, L.Activation("sigmoid")(gate)])


def _gate_by_reshape(x, inputs, width, name):
    channels = x.shape[-1]
    gate = L.Dense(width, _activation(width), name=f"{name}_a")(L.GlobalAveragePooling2D()(x))
    gate = L.Dense(channels, own.times(1.5), name=f"{name}_b")(gate)
    return L.Multiply()([x, L.Reshape((1, 1, channels))(gate)])


def _pool(x, inputs, width, name):
    return L.Maximum()([L.MaxPooling2D(3, 1, "same")(x), L.AveragePooling2D(3, 1, "same")(x)])


def _shared(x, inputs, width, name):
    layer = L.Conv2D(x.shape[-1], 3, padding="same", activation=_activation(width), name=name)
    return L.Subtract()([layer(x), layer(layer(x))])


def _transposed(x, inputs, width, name):
    x = L.Conv2DTranspose(width, 2, strides=2, activation=_activation(width), name=name)(x)
    return L.AveragePooling2D(2)(x)


def _depthwise(x, inputs, width, name):
    options = {"activation": _activation(width), "depthwise_regularizer": own.Mine(0.01)}
    multiplier = 1 + width % 3
    return L.DepthwiseConv2D(3, padding="same", depth_multiplier=multiplier, name=name, **options)(
        x
    )


def _separable(x, inputs, width, name):
    return L.SeparableConv2D(
        width, 3, padding="same", depth_multiplier=2, activation=_activation(width), name=name
    )(x)


def _initialised(x, inputs, width, name):
    shape = (3, 3, x.shape[-1], width)
    array = np.random.default_rng(width).normal(0, 0.3, shape).astype(np.float32)
    initializer = [keras.initializers.Constant(array), array, own.fixed(shape)][width % 3]
    return conv(x, width, name, 3, kernel_initializer=initializer, bias_initializer=_ones)


def _ones(shape, dtype=None):
    return keras.ops.ones(shape, dtype)


def _regularised(x, inputs, width, name):
    regularizer, constraint = own.Mine(0.1), own.Bounded(0.4)
    return conv(x, width, name, kernel_regularizer=regularizer, bias_constraint=constraint)


def _sideways(x, inputs, width, name):
    """A convolution along the frames, on maps whose channels are moved about."""
    x = L.Permute((2, 1, 3))(x)
    x = L.TimeDistributed(L.Conv1D(width, 3, padding="same"), name=f"{name}_d")(x)
    return L.Permute((2, 1, 3))(x)


def _line(x, inputs, width, name):
    x = L.Conv1D(width, 3, padding="same", activation=_activation(width), name=name)(
        L.Reshape((30, x.shape[-1]))(x)
    )
    return L.Reshape((6, 5, width))(x)


def _channels_to_front(x, inputs, width, name):
    x = L.Permute((3, 1, 2))(x)
    x = L.BatchNormalization(axis=1)(x) if width % 2 else L.LeakyReLU()(x)
    if width % 3 == 0:
        y = L.GlobalMaxPooling2D(data_format="channels_first", keepdims=True)(x)
        x = L.Add()([x, y])
    return L.Permute((2, 3, 1))(x)


def _recurrent(layer: Callable) -> Step:
    def step(x, inputs, width, name):
        frames = L.Reshape((6, 5 * x.shape[-1]))(x)
        frames = layer(width)(frames)
        return L.Reshape((6, 5, frames.shape[-1] // 5))(frames)

    return step


def _nested(layers: Callable) -> Step:
    def step(x, inputs, width, name):
        network = keras.Sequential([keras.Input(x.shape[1:]), *layers(width)], name=f"{name}_n")
        return network(x)

    return step


def _nested_functional(x, inputs, width, name):
    a, b = keras.Input(x.shape[1:]), keras.Input(inputs.shape[1:])
    y = L.Multiply()([a, L.Lambda(lambda z: z[..., :1] * 2)(b)])
    return keras.Model([a, b], y, name=name)([x, inputs])


def _operations(x, inputs, width, name):
    return keras.ops.relu(2.0 * x + 0.5) * conv(x, 1, name) - keras.ops.tanh(x)


def _each(make: Callable[[int], keras.Layer]) -> Step:
    return lambda x, inputs, width, name: make(width)(x)


def _convolution(make: Callable[..., keras.Layer]) -> Step:
    return lambda x, inputs, width, name: make(width, name)(x)


STEPS: dict[str, Step] = {
    "conv": lambda x, inputs, width, name: conv(x, width, name, 3, activation="relu"),
    "conv with an activation": lambda x, inputs, width, name: conv(
        x, width, name, activation=_activation(width)
    ),
    "residual": _residual,
    "concat": _concat,
    "fixed": lambda x, inputs, width, name: L.Concatenate()([x, inputs]),
    "gate": _gate,
    "gate by reshape": _gate_by_reshape,
    "norm": lambda x, inputs, width, name: L.LeakyReLU()(L.BatchNormalization()(x)),
    "pool": _pool,
    "shared": _shared,
    "transposed": _transposed,
    "depthwise": _depthwise,
    "separable": _separable,
    "initialised": _initialised,
    "regularised": _regularised,
    "line": _line,
    "sideways": _sideways,
    "channels to the front": _channels_to_front,
    "operations": _operations,
    "activation": _each(lambda width: L.Activation(_activation(width))),
    "lambda": _each(lambda width: L.Lambda(lambda x: x * (1 + x))),
    "lambda of two": lambda x, inputs, width, name: L.Lambda(lambda z: z[0] * z[1][..., :1])(
        [x, inputs]
    ),
    "prelu": _each(lambda width: L.PReLU(shared_axes=(1, 2))),
    "softmax": _each(lambda width: L.Softmax(axis=(-1, 1)[width % 2])),
    "layer norm": _each(lambda width: L.LayerNormalization()),
    "grouped": lambda x, inputs, width, name: L.Conv2D(
        2 * x.shape[-1], 1, groups=x.shape[-1], activation=_activation(width), name=name
    )(x),
    "own without weights": _each(lambda width: (own.Scale(1.5), own.ReLU())[width % 2]),
    "own with config": _each(lambda width: own.Gain(width % 3, _activation(width))),
    "own block": _each(lambda width: own.Block(width)),
    "own that forgets": _each(lambda width: own.ForgetfulGain(2 + width % 2)),
    "own that renames": _each(lambda width: own.RenamedGain(own.relu)),
    "own that renames Keras's": _each(lambda width: own.RenamedGain("tanh")),
    "own without config": _each(lambda width: own.SecretGain(own.gelu)),
    "own that shares": _each(lambda width: own.Sharing(L.LayerNormalization())),
    "own convolution": _convolution(
        lambda width, name: own.Conv2D(width, 1, activation=own.relu, name=name, note="x")
    ),
    "own narrow convolution": _convolution(lambda width, name: own.Narrow(name=name)),
    "own dense": _convolution(lambda width, name: own.Dense(width, own.gelu, name=name)),
    "lstm": _recurrent(lambda width: L.LSTM(5 * width, return_sequences=True)),
    "own lstm": _recurrent(lambda w: L.GRU(5 * w, activation=own.relu, return_sequences=True)),
    "masked both ways": _recurrent(
        lambda width: (
            lambda x: L.Bidirectional(L.LSTM(5, return_sequences=True))(
                L.Dense(width)(L.Masking()(x))
            )
        )
    ),
    "own cell": _recurrent(
        lambda width: L.RNN(L.SimpleRNNCell(5, activation=own.relu), return_sequences=True)
    ),
    "distributed": _each(lambda width: L.TimeDistributed(L.Dense(width, activation="tanh"))),
    "own distributed": _each(lambda width: L.TimeDistributed(L.Dense(width, activation=own.relu))),
    "nested": _nested(lambda width: [L.Rescaling(2.0), L.Lambda(lambda x: x + 1)]),
    "nested functional": _nested_functional,
    "nested weights": _nested(lambda width: [L.Rescaling(2.0), L.LayerNormalization()]),
    "nested own": _nested(lambda width: [own.Gain(1, own.relu), L.LayerNormalization()]),
    "nested kernel": _nested(lambda width: [L.Conv2D(width, 1)]),
    "channels first": lambda x, inputs, width, name: L.Permute((2, 3, 1))(
        L.Conv2D(width, 1, data_format="channels_first", name=name)(L.Permute((3, 1, 2))(x))
    ),
}


def _flatten(inputs, x):
    return keras.Model(inputs, L.Dense(3, name="classes")(L.Flatten()(x)))


def _average(inputs, x):
    x = L.Dense(5, own.relu, name="hidden")(L.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, L.Dense(3, name="classes")(x))


def _convolved(inputs, x):
    return keras.Model(inputs, L.GlobalAveragePooling2D()(conv(x, 3, "classes")))


def _reshaped(inputs, x):
    return keras.Model(inputs, L.Dense(3, name="classes")(L.Reshape((-1,))(x)))


def _several(inputs, x):
    other = keras.Input((6, 5, 1), name="other")
    y = L.Add()([x, conv(other, x.shape[-1], "of_other", activation=own.gelu)])
    scores = L.Dense(3, name="classes")(L.GlobalMaxPooling2D()(y))
    return keras.Model(
        {"map": inputs, "other": other}, {"scores": scores, "map": conv(y, 2, "out")}
    )


HEADS: dict[str, Callable] = {
    "flatten": _flatten,
    "average": _average,
    "convolution": _convolved,
    "reshape": _reshaped,
    "several": _several,
}
