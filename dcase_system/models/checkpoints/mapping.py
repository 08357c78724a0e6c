"""Maps a PyTorch state dict, as NumPy arrays, to the variables of a Keras network."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.models.layers import FusedBatchNormalization, GlobalResponseNormalization
from dcase_system.models.passt_layers import ClassTokens, PositionalGrid

_SHOWN = 3  # names in a message


@dataclass(frozen=True)
class Pair:
    """A variable and the tensor that fills it.

    Attributes:
        name: Name of the tensor.
        variable: Variable of the Keras network.
        axes: Order of the tensor's axes in the variable; empty for a vector or a scalar.
        merged: Whether the tensor's first axis holds the first two, and the second is 1: a
            depthwise kernel, whose filters PyTorch counts through.
    """

    name: str
    variable: keras.Variable
    axes: tuple[int, ...] = ()
    merged: bool = False

    @property
    def tensor_shape(self) -> tuple[int, ...]:
        """Required shape of the tensor; PyTorch's scalars are vectors of length one here."""
        first, *others = self._apart
        return (first * others[0], 1, *others[1:]) if self.merged else self._apart

    def value(self, tensor: np.ndarray) -> np.ndarray:
        """Converts the tensor to the variable's layout."""
        ordered = tensor.reshape(self._apart).transpose(self.axes) if self.axes else tensor
        return ordered.reshape(self.variable.shape)

    @property
    def _apart(self) -> tuple[int, ...]:
        """Sizes of the tensor's axes, none merged."""
        shape = tuple(self.variable.shape) or (1,)
        if not self.axes:
            return shape
        sizes = dict(zip(self.axes, shape, strict=True))
        return tuple(sizes[axis] for axis in range(len(shape)))


@dataclass(frozen=True)
class Unused:
    """Tensors to leave out, as a regular expression for the whole name, with the reason."""

    pattern: str
    reason: str


@dataclass(frozen=True)
class LeftOut:
    """A tensor (or other content of the file, without a shape) that is left out, and why."""

    name: str
    shape: tuple[int, ...]
    reason: str


def pairs_of(layer: keras.layers.Layer, module: str, mirrored: bool = False) -> list[Pair]:
    """Pairs one layer's variables with a PyTorch module's tensors.

    Args:
        layer: Built layer.
        module: Module name in the state dict, without a trailing dot; empty for the root.
        mirrored: Whether PyTorch has a convolution's two spatial axes in the other order.
    """
    convolution = (3, 2) if mirrored else (2, 3)
    found: list[tuple[str, keras.Variable, tuple[int, ...]]]
    if isinstance(layer, FusedBatchNormalization):
        found = [
            ("weight", layer.gamma, ()),
            ("bias", layer.beta, ()),
            ("running_mean", layer.moving_mean, ()),
            ("running_var", layer.moving_variance, ()),
        ]
    elif isinstance(layer, keras.layers.LayerNormalization):
        found = [("weight", layer.gamma, ()), ("bias", layer.beta, ())]
    elif isinstance(layer, keras.layers.DepthwiseConv2D):
        found = [("weight", layer.kernel, (*convolution, 0, 1))]
    elif isinstance(layer, keras.layers.Conv2D):
        found = [("weight", layer.kernel, (*convolution, 1, 0))]
    elif isinstance(layer, keras.layers.Dense):
        found = [("weight", layer.kernel, (1, 0))]
    elif isinstance(layer, GlobalResponseNormalization):
        found = [("gamma", layer.gamma, ()), ("beta", layer.beta, ())]
    elif isinstance(layer, PositionalGrid):
        found = [
            ("freq_new_pos_embed", layer.rows, (0, 2, 3, 1)),
            ("time_new_pos_embed", layer.columns, (0, 2, 3, 1)),
        ]
    elif isinstance(layer, ClassTokens):
        found = [
            ("cls_token", layer.classification, ()),
            ("dist_token", layer.distillation, ()),
            ("new_pos_embed", layer.positions, ()),
        ]
    else:
        raise TypeError(f"no rule for the weights of a {type(layer).__name__}")
    if getattr(layer, "use_bias", False):
        found.append(("bias", layer.bias, ()))
    prefix = f"{module}." if module else ""
    merged = isinstance(layer, keras.layers.DepthwiseConv2D)
    return [
        Pair(prefix + name, variable, axes, merged and bool(axes)) for name, variable, axes in found
    ]


def match(
    tensors: Mapping[str, np.ndarray],
    pairs: Sequence[Pair],
    unused: Iterable[Unused],
    where: str | Path,
) -> list[LeftOut]:
    """Checks that every variable has a tensor and every tensor is used or may be left out.

    Args:
        tensors: Tensors by name.
        pairs: Pairs for the whole network, or for the part to fill.
        unused: Tensors that may be left out.
        where: Name of the source, for messages.

    Returns:
        Tensors left out.

    Raises:
        InputError: A tensor is missing, unknown, of the wrong shape, or not finite.
    """
    wanted = {pair.name for pair in pairs}
    left_out, unknown = [], []
    for name, tensor in tensors.items():
        if name in wanted:
            continue
        reasons = [rule.reason for rule in unused if re.fullmatch(rule.pattern, name)]
        if reasons:
            left_out.append(LeftOut(name, tensor.shape, reasons[0]))
        else:
            unknown.append(name)
    missing = [pair.name for pair in pairs if pair.name not in tensors]
    if missing:
        raise InputError(f"{_names(missing)} missing", where=where)
    if unknown:
        raise InputError(f"{_names(unknown)} not part of this architecture", where=where)
    for pair in pairs:
        tensor = tensors[pair.name]
        if tensor.shape != pair.tensor_shape:
            raise InputError(
                f"tensor {pair.name} has the wrong shape",
                where=where,
                expected=pair.tensor_shape,
                received=tensor.shape,
            )
        if not np.isfinite(tensor).all():
            raise InputError(f"tensor {pair.name} holds values that are not finite", where=where)
    return left_out


def fill(pairs: Iterable[Pair], tensors: Mapping[str, np.ndarray]) -> None:
    """Assigns tensors checked by `match` to their variables."""
    for pair in pairs:
        pair.variable.assign(pair.value(tensors[pair.name]))


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"tensor {shown} is" if len(names) == 1 else f"tensors {shown}{more} are"
