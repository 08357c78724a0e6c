"""Networks given as a table of rows, of stock Keras layers alone: they load without this package.

The input is (mels, frames, 1). After the rows come global average pooling, dropout, a hidden dense
layer if there is one, and a dense layer that gives the logits.
"""

from dataclasses import dataclass

import keras

from dcase_system.core.checked import NotNegative
from dcase_system.core.errors import InputError

_KINDS = ("conv", "separable", "plain", "max_pool")


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        kind: `conv`: convolution, batch norm, ReLU. `separable`: depthwise convolution and 1x1
            convolution, batch norm and ReLU after each. `plain`: convolution with a bias, without
            padding and batch norm, and ReLU. `max_pool`: pooling.
        kernel: Height and width of the kernel, or of the pool.
        channels: Output channels; 0 for a pooling.
        stride: Stride in both directions; a pool's stride is its size.
    """

    kind: str
    kernel: int
    channels: NotNegative = 0
    stride: int = 1


@dataclass(frozen=True)
class TableCNNSpec:
    """Spec of a network.

    Attributes:
        rows: Rows in order.
        hidden: Units of the hidden dense layer; 0 for none.
        dropout: Share of the pooled values that are dropped in training.
        classes: Number of logits.
        input_shape: (mels, frames).
    """

    rows: tuple[Row, ...]
    hidden: NotNegative = 0
    dropout: float = 0.0
    classes: int = 11
    input_shape: tuple[int, int] = (40, 133)

    def __post_init__(self):
        for row in self.rows:
            if row.kind not in _KINDS or (row.kind == "max_pool") != (row.channels == 0):
                raise InputError(
                    "row does not fit",
                    where="table of a network",
                    expected=f"{' | '.join(_KINDS)}, with channels unless it is a pooling",
                    received=row,
                )


def separable(base: int) -> TableCNNSpec:
    """A strided 3x3 stem, and separable convolutions that widen from `base` to 8 * `base`."""
    return TableCNNSpec(
        (
            Row("conv", 3, base, stride=2),
            Row("separable", 3, 2 * base),
            Row("separable", 3, 4 * base, stride=2),
            Row("separable", 3, 4 * base),
            Row("separable", 3, 8 * base, stride=2),
            Row("separable", 3, 8 * base),
        ),
        dropout=0.1,
    )


def biodcase_baseline() -> TableCNNSpec:
    """The baseline of BioDCASE-Tiny 2026; its softmax is not part of the network here."""
    rows = (
        Row("plain", 3, 32),
        Row("max_pool", 2),
        Row("plain", 3, 64),
        Row("max_pool", 4),
        Row("plain", 3, 128),
    )
    return TableCNNSpec(rows, hidden=32, dropout=0.05)


def build_table_cnn(spec: TableCNNSpec) -> keras.Model:
    """Builds the network: (batch, mels, frames, 1) features to (batch, classes) logits.

    Raises:
        InputError: The input is too small for the rows.
    """
    x = inputs = keras.Input((*spec.input_shape, 1), name="features")
    for number, row in enumerate(spec.rows, 1):
        if row.kind in ("plain", "max_pool") and min(x.shape[1:3]) < row.kernel:
            raise InputError(
                "map vanishes",
                where=f"row {number} of the table of a network",
                expected=f"a map of at least {row.kernel} x {row.kernel}",
                received=f"{x.shape[1]} x {x.shape[2]} of an input of {spec.input_shape}",
            )
        x = _with_row(x, row, f"row{number}")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)  # (batch, channels)
    x = keras.layers.Dropout(spec.dropout, name="dropout")(x)
    if spec.hidden:
        x = keras.layers.Dense(spec.hidden, activation="relu", name="hidden")(x)
    return keras.Model(inputs, keras.layers.Dense(spec.classes, name="logits")(x), name="table_cnn")


def _with_row(x, row: Row, name: str):
    if row.kind == "max_pool":
        return keras.layers.MaxPooling2D(row.kernel, name=name)(x)
    if row.kind == "plain":
        conv = keras.layers.Conv2D(row.channels, row.kernel, activation="relu", name=f"{name}_conv")
        return conv(x)
    common = {"padding": "same", "use_bias": False}
    if row.kind == "separable":
        depthwise = keras.layers.DepthwiseConv2D(
            row.kernel, row.stride, name=f"{name}_depthwise", **common
        )
        x = _normalised(depthwise(x), f"{name}_depthwise")
        conv = keras.layers.Conv2D(row.channels, 1, name=f"{name}_conv", **common)
    else:
        conv = keras.layers.Conv2D(
            row.channels, row.kernel, row.stride, name=f"{name}_conv", **common
        )
    return _normalised(conv(x), name)


def _normalised(x, name: str):
    # Keras's momentum of 0.99 needs more steps than a training of a few thousand clips may have.
    x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)
