"""Reads YAMNet's published weights, `yamnet.h5` or `yamnet.tflite`, as tensors by name.

Names and axes are those that a PyTorch module would have, so that they are matched like those of
other checkpoints. Batch norm is folded into the convolution before it; in the `.tflite` it already
is, and kernels are int8 with one scale for the tensor or for each channel.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from dcase_system.core.errors import InputError

SUFFIXES = (".h5", ".tflite")
_EPSILON = 1e-4  # of the published batch norm
# The layers by the last part of their name in the `.h5` file, and the axes that lead to PyTorch's.
_KERNELS = {
    "conv": ("conv", (3, 2, 0, 1)),
    "depthwise_conv": ("depthwise", (2, 3, 0, 1)),
    "pointwise_conv": ("pointwise", (3, 2, 0, 1)),
}
_DENSE = "classifier"


def read_yamnet(path: Path) -> dict[str, np.ndarray]:
    """Returns the tensors of YAMNet's `.h5` or `.tflite` file.

    Raises:
        InputError: The file is damaged or of another kind.
        OSError: The file cannot be opened.
    """
    content = path.read_bytes()
    try:
        return _of_tflite(content) if path.suffix == ".tflite" else _of_h5(path)
    except (
        *(OSError, ValueError, KeyError, IndexError, TypeError, AttributeError),
        *(OverflowError, struct.error),
    ) as error:
        raise InputError(
            "not YAMNet's weights, or damaged",
            where=path,
            expected="yamnet.h5 or yamnet.tflite as published",
            received=f"{type(error).__name__}: {error}",
        ) from error


def _of_h5(path: Path) -> dict[str, np.ndarray]:
    """Reads Keras's weights file: `layer2/depthwise_conv/bn/beta:0` and so on, in any groups."""
    stored: dict[str, np.ndarray] = {}

    def visit(name: str, held: Any) -> None:
        if isinstance(held, h5py.Dataset):
            parts = name.split("/")
            # A group of the layer's name precedes the variable's own, which has that name too.
            start = max(i for i, part in enumerate(parts) if part == parts[0])
            stored["/".join(parts[start:]).removesuffix(":0")] = np.asarray(held, np.float32)

    with h5py.File(path) as file:
        file.visititems(visit)
    found = {}
    for name, kernel in stored.items():
        layer, _, kind = name.rpartition("/")
        if kind not in ("kernel", "depthwise_kernel"):
            continue
        if kernel.ndim == 2:
            found[f"{_DENSE}.weight"] = kernel.T
            found[f"{_DENSE}.bias"] = stored[f"{layer}/bias"]
            continue
        number, _, part = layer.partition("/")
        own, axes = _KERNELS[part]
        scale, bias = _folded(stored, f"{layer}/bn")
        found[f"{number}.{own}.weight"] = kernel.transpose(axes) * scale[:, None, None, None]
        found[f"{number}.{own}.bias"] = bias
    return found


def _folded(stored: Mapping[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Factor and offset (channels,) of a batch norm without a scale of its own."""
    scale = 1.0 / np.sqrt(stored[f"{name}/moving_variance"] + _EPSILON)
    return scale, stored[f"{name}/beta"] - stored[f"{name}/moving_mean"] * scale


def _of_tflite(content: bytes) -> dict[str, np.ndarray]:
    """Takes the convolutions in the order of the file's operators, and its last dense layer."""
    if content[4:8] != b"TFL3":
        raise ValueError("not a TFLite file")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    found, convolutions = {}, 0
    for operator in model.subgraphs[0].operators:
        kind = flatbuffer_utils.opcode_to_name(model, operator.opcodeIndex)
        if kind not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            continue
        kernel, bias = (_real(model, index) for index in operator.inputs[1:3])
        if kind == "FULLY_CONNECTED":  # the front end has one too, before all convolutions
            name = _DENSE
        else:
            # (out, rows, columns, in), or (1, rows, columns, channels)
            axes = (0, 3, 1, 2) if kind == "CONV_2D" else (3, 0, 1, 2)
            kernel = kernel.transpose(axes)
            part = ("conv", "depthwise", "pointwise")[convolutions and 2 - convolutions % 2]
            name = f"layer{(convolutions + 1) // 2 + 1}.{part}"
            convolutions += 1
        found[f"{name}.weight"], found[f"{name}.bias"] = kernel, bias
    return found


def _real(model: Any, index: int) -> np.ndarray:
    """Values of a constant, dequantised."""
    tensor = model.subgraphs[0].tensors[index]
    data = np.asarray(model.buffers[tensor.buffer].data, np.uint8).tobytes()
    if tensor.type == schema.TensorType.FLOAT32:
        return np.frombuffer(data, np.float32).reshape(tensor.shape)
    if tensor.type != schema.TensorType.INT8:
        raise ValueError(f"a constant has the type {tensor.type}")
    values = np.frombuffer(data, np.int8).reshape(tensor.shape)
    scales = np.asarray(tensor.quantization.scale, np.float32)
    if len(scales) > 1:
        axes = [1] * values.ndim
        axes[tensor.quantization.quantizedDimension] = len(scales)
        scales = scales.reshape(axes)
    return values * scales  # zero points of kernels are 0
