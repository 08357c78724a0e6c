"""Whether a `.tflite` file may be given to an interpreter, which looks up indices unchecked.

TensorFlow's interpreter reads past the end of a broken file, divides by a stride of 0 and follows
indices wherever they lead. What is found here never reaches it.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools.flatbuffer_utils import get_builtin_code_from_operator_code

MOST_PARTS = 100_000
"""Tensors, operators, buffers and so on of a file; ours have some hundreds."""

MOST_TENSOR_BYTES = 2**27
"""Of one tensor; the largest of CNN10 on ten seconds takes 2**24.

An interpreter takes seconds to prepare larger ones, since it widens what follows an input with it.
"""

MOST_BYTES = 2**30
"""Of all tensors that are not stored in the file together."""

_TYPES = schema.TensorType
_BITS = {
    _TYPES.COMPLEX128: 128,
    **dict.fromkeys((_TYPES.FLOAT64, _TYPES.INT64, _TYPES.UINT64, _TYPES.COMPLEX64), 64),
    **dict.fromkeys((_TYPES.FLOAT32, _TYPES.INT32, _TYPES.UINT32), 32),
    **dict.fromkeys((_TYPES.FLOAT16, _TYPES.INT16, _TYPES.UINT16), 16),
    **dict.fromkeys((_TYPES.INT8, _TYPES.UINT8, _TYPES.BOOL), 8),
    _TYPES.INT4: 4,
}
_QUANTISED = (_TYPES.INT8, _TYPES.UINT8, _TYPES.INT16)
_OPERATORS = schema.BuiltinOperator
_SAME_TYPE = (
    *(_OPERATORS.ADD, _OPERATORS.SUB, _OPERATORS.MUL, _OPERATORS.CONV_2D, _OPERATORS.PAD),
    *(_OPERATORS.DEPTHWISE_CONV_2D, _OPERATORS.FULLY_CONNECTED, _OPERATORS.MEAN),
    *(_OPERATORS.AVERAGE_POOL_2D, _OPERATORS.MAX_POOL_2D, _OPERATORS.SLICE, _OPERATORS.RESHAPE),
)
# Of convolutions and poolings; 0 in one of them is divided by, a large one overflows.
_STEPS = (
    *("strideW", "strideH", "dilationWFactor", "dilationHFactor"),
    *("filterWidth", "filterHeight", "depthMultiplier"),
)
_LARGEST_STEP = 2**15


def check_size(root: Any) -> None:
    """Refuses a file that takes long to read: offsets may lead to one table many times.

    Args:
        root: the file's `schema.Model`, of which nothing has been read yet.

    Raises:
        ValueError: it has too many parts.
    """
    if root.ExternalBufferGroupsLength() or root.ExternalBuffersLength():
        raise ValueError("constants lie in other files")
    parts = root.OperatorCodesLength() + root.BuffersLength() + root.MetadataLength()
    graphs, signatures = root.SubgraphsLength(), root.SignatureDefsLength()
    if parts + graphs + signatures > MOST_PARTS:
        raise ValueError(f"more than {MOST_PARTS:,} parts")
    for index in range(graphs):
        graph = root.Subgraphs(index)
        parts += graph.TensorsLength() + graph.OperatorsLength()
        for tensor in map(graph.Tensors, range(min(graph.TensorsLength(), MOST_PARTS))):
            if tensor.Sparsity() is not None or tensor.VariantTensorsLength():
                raise ValueError("tensor is sparse or has variants")
    for signature in map(root.SignatureDefs, range(signatures)):
        parts += signature.InputsLength() + signature.OutputsLength()
    if parts > MOST_PARTS:
        raise ValueError(f"more than {MOST_PARTS:,} parts")


def check(model: Any) -> None:
    """Refuses a model whose indices, shapes, constants or strides are not as they must be.

    Args:
        model: the tree of a file.

    Raises:
        ValueError: says what is wrong.
    """
    lists = (model.operatorCodes, model.buffers, model.subgraphs)
    _require(all(lists) and None not in [item for part in lists for item in part], "parts missing")
    _require(len(model.subgraphs) == 1, f"{len(model.subgraphs)} graphs, expected one")
    for buffer in model.buffers:
        # Where files are larger than 2 GB, data lies behind the tree.
        _require(not buffer.offset and not buffer.size, "buffer lies outside of the tree")
    for entry in model.metadata or []:
        _require(entry is not None and entry.name is not None, "metadata has no name")
        _in_range([entry.buffer], model.buffers, "buffer of metadata")
    for signature in model.signatureDefs or []:
        named: list[Any] = [*(signature.inputs or []), *(signature.outputs or [])]
        _require(None not in named and not signature.subgraphIndex, "signature is broken")
        _in_range([one.tensorIndex for one in named], model.subgraphs[0].tensors, "signature")
    _check_graph(model, model.subgraphs[0])


def _check_graph(model: Any, graph: Any) -> None:
    tensors, operators = graph.tensors or [], graph.operators or []
    _require(None not in tensors and None not in operators, "tensor or operator missing")
    inputs, outputs = _indices(graph.inputs), _indices(graph.outputs)
    _in_range([*inputs, *outputs], tensors, "input or output")
    _in_range([one.opcodeIndex for one in operators], model.operatorCodes, "operator's code")
    codes = [
        get_builtin_code_from_operator_code(model.operatorCodes[one.opcodeIndex])
        for one in operators
    ]
    # A compiler for an accelerator leaves custom operators. They take bytes without scale, and
    # memory that none has written; Python's interpreters refuse them.
    raw = _taken_by(operators, codes, custom=True) - _taken_by(operators, codes, custom=False)
    stored = [_check_tensor(model, tensor, index in raw) for index, tensor in enumerate(tensors)]
    _require(sum(size for size in stored if size > 0) <= MOST_BYTES, "tensors take too much")
    known = {index for index, size in enumerate(stored) if size == 0} | set(inputs)
    known |= {index for index, tensor in enumerate(tensors) if tensor.isVariable}
    for operator, code in zip(operators, codes, strict=True):
        taken = [index for index in _indices(operator.inputs) if index != -1]
        given = _indices(operator.outputs)
        between = [index for index in _indices(operator.intermediates) if index != -1]
        _in_range([*taken, *given, *between], tensors, "operator's tensor")
        _require(set(taken) - raw <= known, "operator takes what none before it gives")
        _require(not known & set(given), "tensor is written twice")
        known |= set(given)
        if code in _SAME_TYPE and taken and given:
            same = tensors[taken[0]].type == tensors[given[0]].type
            _require(same, "operator gives another type than it takes")
        for name in _STEPS:
            step = getattr(operator.builtinOptions, name, 1)
            least = 0 if name == "depthMultiplier" else 1
            _require(least <= step <= _LARGEST_STEP, f"{name} is {step}")
    _require(set(outputs) <= known, "output is never given")


def _taken_by(operators: Iterable[Any], codes: Iterable[int], *, custom: bool) -> set[int]:
    """Tensors that custom operators take, or those that built-in ones do."""
    return {
        index
        for operator, code in zip(operators, codes, strict=True)
        if (code == _OPERATORS.CUSTOM) == custom
        for index in _indices(operator.inputs)
    }


def _check_tensor(model: Any, tensor: Any, raw: bool) -> int:
    """The bytes that a tensor takes beside the file: 0 for a constant."""
    _in_range([tensor.buffer], model.buffers, "buffer of a tensor")
    _require(tensor.type in _BITS, f"type {tensor.type} of a tensor is not supported")
    shape = _indices(tensor.shape)
    _require(all(0 <= size < 2**31 for size in shape), "shape is negative")
    size = (math.prod(shape) * _BITS[tensor.type] + 7) // 8
    _require(size <= MOST_TENSOR_BYTES, "tensor takes too much")
    _check_quantisation(tensor.quantization, shape, tensor.type, raw)
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) == 0:
        return size
    _require(len(data) == size, f"constant of {len(data)} bytes, expected {size}")
    return 0


def _check_quantisation(quantisation: Any, shape: list[int], kind: int, raw: bool) -> None:
    # Without a scale, or with one of 0, the interpreter ends the process.
    details = None if quantisation is None else quantisation.details
    _require(details is None, "quantisation is not by tensor or axis")
    scaled = quantisation is not None and bool(_values(quantisation.scale))
    _require(scaled or raw or kind not in _QUANTISED, "quantised tensor has no scale")
    if not scaled:
        return
    scales = np.asarray(quantisation.scale, np.float64)
    least = np.finfo(np.float32).tiny if kind in _QUANTISED else 0.0
    good = np.isfinite(scales).all() and (scales >= least).all()
    _require(bool(good), "scale is not a number, or too small")
    zero_points = _indices(quantisation.zeroPoint)
    _require(len(zero_points) in (0, 1, len(scales)), "zero points and scales differ")
    half = 2**31 if kind not in _QUANTISED else 2 ** (_BITS[kind] - 1)
    high = 2 * half if kind == _TYPES.UINT8 else half
    _require(all(high - 2 * half <= zero < high for zero in zero_points), "zero point is wrong")
    if len(scales) > 1:
        axis = quantisation.quantizedDimension
        _require(0 <= axis < len(shape) and shape[axis] == len(scales), "scales for no axis")


def _values(values: Any) -> list[Any]:
    # Absent vectors are None, in some versions 0.
    return list(values) if isinstance(values, np.ndarray | list) else []


def _indices(values: Any) -> list[int]:
    return [int(value) for value in _values(values)]


def _in_range(indices: Iterable[int], items: Any, what: str) -> None:
    for index in indices:
        _require(0 <= index < len(items or []), f"{what} has index {index}")


def _require(holds: bool, fault: str) -> None:
    if not holds:
        raise ValueError(f"TFLite model is broken ({fault})")
