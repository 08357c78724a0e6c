"""Functions and layers of a user's own, some called like those of Keras."""

import functools

import keras
import numpy as np
import tensorflow as tf

L = keras.layers


def relu(x):
    return keras.ops.clip(x, -0.1, 0.5)


def gelu(x):
    return keras.ops.tanh(x) * 0.5 + 0.1 * x


def times(factor):
    def sigmoid(x):
        return keras.ops.sigmoid(x) * factor

    return sigmoid


class Swish:
    """An activation that is an object."""

    def __init__(self, beta):
        self.beta = beta

    def __call__(self, x):
        return x * keras.ops.sigmoid(self.beta * x)


class Scale(L.Layer):
    """No weights, no config."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return x * self.factor


class ReLU(L.Layer):
    """Called like Keras's, and no other."""

    def call(self, x):
        return keras.ops.abs(x) - 0.3


class Gain(L.Layer):
    """A weight for each channel; makes itself known in full."""

    def __init__(self, power, activation=None, **options):
        super().__init__(**options)
        self.power = power
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(input_shape[-1],), name="gain")

    def call(self, x):
        return self.activation(x * (1.5 + self.gain) ** self.power)

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "power": self.power, "activation": activation}


class ForgetfulGain(Gain):
    """Leaves out what it computes with."""

    def __init__(self, power=1, activation=None, **options):
        super().__init__(power, activation, **options)

    def get_config(self):
        config = super().get_config()
        del config["power"]
        return config


class RenamedGain(L.Layer):
    """Keeps its activation under another name than its config does."""

    def __init__(self, activation, **options):
        super().__init__(**options)
        self._function = keras.activations.get(activation)

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(input_shape[-1],), name="gain")

    def call(self, x):
        return self._function(x * (1.5 + self.gain))

    def get_config(self):
        return {**super().get_config(), "activation": keras.activations.serialize(self._function)}


class SecretGain(L.Layer):
    """Weights, and no way to make it again."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(input_shape[-1],), name="gain")

    def call(self, x):
        return self.function(x * (1.5 + self.gain))


class Sharing(L.Layer):
    """Its config holds the layer within it, which a copy would then train too."""

    def __init__(self, inner, **options):
        super().__init__(**options)
        self.inner = inner

    def build(self, input_shape):
        if not self.inner.built:
            self.inner.build(input_shape)

    def call(self, x):
        return x + self.inner(x)

    def get_config(self):
        return {**super().get_config(), "inner": self.inner}


@keras.saving.register_keras_serializable("tests")
class Registered(Gain):
    """Keras finds it by its name."""


class Hidden(L.Layer):
    """Holds a variable that Keras does not see."""

    def __init__(self, factor, **options):
        super().__init__(**options)
        self.factor = tf.Variable(factor)

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": 1.0}


class Remembering(Gain):
    """Keeps what it gave last."""

    last = None

    def call(self, x):
        self.last = super().call(x)
        return self.last


class Block(L.Layer):
    """Layers within a layer."""

    def __init__(self, width, **options):
        super().__init__(**options)
        self.width = width
        self.squeeze = L.Dense(width, activation=relu)
        self.noise = L.GaussianNoise(0.1)
        self.half = lambda x: x / 2

    def build(self, input_shape):
        self.squeeze.build(input_shape)
        self.excite = L.Dense(input_shape[-1], activation="sigmoid")
        self.excite.build((*input_shape[:-1], self.width))

    def call(self, x, training=False):
        return self.half(x) * self.excite(self.squeeze(self.noise(x, training=training)))

    def get_config(self):
        return {**super().get_config(), "width": self.width}


class Conv2D(L.Conv2D):
    """Keras's, with an attribute more."""

    def __init__(self, *args, note="", **options):
        super().__init__(*args, **options)
        self.unused = keras.initializers.RandomNormal()  # draws a seed
        self.note = note

    def get_config(self):
        return {**super().get_config(), "note": self.note}


class Dense(L.Dense):
    """Not what Keras's computes."""

    def call(self, inputs, training=None):
        return super().call(keras.ops.flip(inputs, axis=-1))


class Standardised(L.Conv2D):
    """What Keras's own documentation recommends for a standardised convolution."""

    def convolution_op(self, inputs, kernel):
        return super().convolution_op(inputs, kernel / keras.ops.std(kernel))


class Narrow(L.Conv2D):
    """Of one width."""

    def __init__(self, **options):
        super().__init__(**{**options, "filters": 5, "kernel_size": 1})


class Mine(keras.regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return self.factor * keras.ops.sum(keras.ops.square(x))


class Bounded(keras.constraints.Constraint):
    def __init__(self, most):
        self.most = most

    def __call__(self, w):
        return keras.ops.clip(w, -self.most, self.most)


class Towards(keras.regularizers.Regularizer):
    """Of one shape."""

    def __init__(self, values):
        self.values = keras.ops.convert_to_tensor(values, "float32")

    def __call__(self, x):
        return keras.ops.sum(keras.ops.square(x - self.values))


class Above(keras.constraints.Constraint):
    """Of one shape."""

    def __init__(self, values):
        self.values = keras.ops.convert_to_tensor(values, "float32")

    def __call__(self, w):
        return keras.ops.maximum(w, self.values)


def fixed(shape):
    """An initializer that makes one shape, whatever it is asked for."""
    array = np.random.default_rng(0).normal(0, 0.5, shape).astype(np.float32)
    return lambda shape, dtype=None: keras.ops.convert_to_tensor(array)


ACTIVATIONS = {
    "own relu": lambda: relu,
    "own gelu": lambda: gelu,
    "closure": lambda: times(0.7),
    "lambda": lambda: lambda x: x * 0.5,
    "partial": lambda: functools.partial(keras.activations.gelu, approximate=True),
    "partial of Keras's relu": lambda: functools.partial(keras.activations.relu, max_value=0.4),
    "tf.nn": lambda: tf.nn.silu,
    "tf.nn, called like Keras's": lambda: tf.nn.relu6,
    "keras.ops": lambda: keras.ops.gelu,
    "object": lambda: Swish(1.7),
    "layer": lambda: L.LeakyReLU(0.4),
    "own layer": lambda: Scale(0.8),
    "Keras's": lambda: "tanh",
}
