"""The structure of a `.tflite` file: operators, constants, metadata, two models in a row."""

import re
import struct
from collections import Counter
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from dcase_system.edge import verify

_INDICES = ("inputs", "outputs", "intermediates")
# Metadata that TensorFlow's converter writes, padded with zeros.
_RUNTIME, _RUNTIME_BYTES = "min_runtime_version", 16


def parse(content: bytes) -> Any:
    """The tree of a `.tflite` file, verified.

    Raises:
        ValueError: it is none. TensorFlow's interpreter does not find out, see `verify`.
    """
    if content[4:8] != b"TFL3":
        raise ValueError("not a TFLite model")
    try:
        root = schema.Model.GetRootAs(content)
        verify.check_size(root)
        model = schema.ModelT.InitFromObj(root)
    except (struct.error, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"TFLite model is broken ({error})") from error
    verify.check(model)
    return model


def serialise(model: Any) -> bytes:
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def operators(model: Any) -> dict[str, int]:
    """How often each operator occurs, by name."""
    counts = Counter(
        operator_name(model, operator)
        for subgraph in model.subgraphs
        for operator in subgraph.operators
    )
    return dict(sorted(counts.items()))


def operator_versions(model: Any) -> dict[str, int]:
    """The version of each operator, by name; the largest if it occurs in several."""
    versions: dict[str, int] = {}
    for operator in (one for subgraph in model.subgraphs for one in subgraph.operators):
        name = operator_name(model, operator)
        version = int(model.operatorCodes[operator.opcodeIndex].version)
        versions[name] = max(versions.get(name, 0), version)
    return dict(sorted(versions.items()))


def least_runtime(model: Any) -> str | None:
    """The first release of TensorFlow Lite that has all operators, as converters store it.

    Edits of a model must not ask for more than the converter did. None if it is not stored.
    """
    stored = [
        bytes(bytearray(model.buffers[entry.buffer].data)).rstrip(b"\0").decode("ascii", "ignore")
        for entry in model.metadata or []
        if _text(entry.name) == _RUNTIME and model.buffers[entry.buffer].data is not None
    ]
    releases = [text for text in stored if re.fullmatch(r"\d+(\.\d+)*", text)]
    return _latest(releases) if releases else None


def _latest(releases: list[str]) -> str:
    return max(releases, key=lambda text: [int(part) for part in text.split(".")])


def operator_name(model: Any, operator: Any) -> str:
    """`CONV_2D`, `CUSTOM` and so on; `unknown` if the runtime's schema has no name for it."""
    return flatbuffer_utils.opcode_to_name(model, operator.opcodeIndex) or "unknown"


def operator_code(model: Any, name: str, version: int = 1) -> int:
    """Index of an operator's code in a model, which gets one if it has none."""
    builtin = getattr(schema.BuiltinOperator, name)
    for index, code in enumerate(model.operatorCodes):
        if flatbuffer_utils.get_builtin_code_from_operator_code(code) == builtin:
            code.version = max(code.version, version)
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


_TYPES = {np.dtype(np.int8): "INT8", np.dtype(np.int32): "INT32"}


def add_constant(model: Any, graph: Any, name: str, values: np.ndarray, scale: float) -> int:
    """Adds a quantised constant tensor to a graph; returns its index.

    Args:
        model: that the graph is of.
        graph: that gets the tensor.
        name: of the tensor.
        values: int8 or int32.
        scale: of the values, whose zero point is 0.
    """
    tensor, buffer = schema.TensorT(), schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    tensor.name, tensor.shape, tensor.buffer = name, list(values.shape), len(model.buffers)
    tensor.type = getattr(schema.TensorType, _TYPES[values.dtype])
    tensor.quantization = schema.QuantizationParametersT(scale=[scale], zeroPoint=[0])
    model.buffers.append(buffer)
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def tensor_name(tensor: Any) -> str:
    return _text(tensor.name)


def attach(model: Any, name: str, content: bytes) -> None:
    """Stores bytes in a model under a name, in the place of what had that name."""
    kept = [entry for entry in model.metadata or [] if _text(entry.name) != name]
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = list(content)
    entry.name, entry.buffer = name, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*kept, entry]


def attached(model: Any, name: str) -> bytes | None:
    """What `attach` has stored under a name."""
    for entry in model.metadata or []:
        if _text(entry.name) == name:
            data = model.buffers[entry.buffer].data
            return None if data is None else bytes(bytearray(data))
    return None


def name_ends(model: Any, taken: str, given: str) -> None:
    """Gives a model one signature, `serving_default`, that names its one input and one output."""
    graph, signature = model.subgraphs[0], schema.SignatureDefT()
    signature.signatureKey = "serving_default"
    signature.inputs, signature.outputs = [schema.TensorMapT()], [schema.TensorMapT()]
    signature.inputs[0].name, signature.inputs[0].tensorIndex = taken, int(graph.inputs[0])
    signature.outputs[0].name, signature.outputs[0].tensorIndex = given, int(graph.outputs[0])
    model.signatureDefs = [signature]


def joined(first: bytes, second: bytes) -> bytes:
    """One model that runs two in a row: the second takes what the first gives.

    Each has one subgraph with one input, one output and the signature that a converter writes. The
    first gives float32; where the second takes a quantised input, the values are quantised in
    between.

    Raises:
        ValueError: what the first gives has another shape than what the second takes.
    """
    front, back = parse(first), parse(second)
    runtimes = [found for found in (least_runtime(front), least_runtime(back)) if found]
    model, graph, tail = front, front.subgraphs[0], back.subgraphs[0]
    codes, buffers, tensors = len(model.operatorCodes), len(model.buffers), len(graph.tensors)
    given, taken = graph.tensors[graph.outputs[0]], tail.tensors[tail.inputs[0]]
    shapes = [[int(size) for size in tensor.shape] for tensor in (given, taken)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{shapes[0]} cannot be joined to {shapes[1]}")
    model.operatorCodes += back.operatorCodes
    model.buffers += back.buffers
    for tensor in tail.tensors:
        tensor.buffer += buffers
    graph.tensors += tail.tensors
    for operator in tail.operators:
        operator.opcodeIndex += codes
        for name in _INDICES:
            indices = getattr(operator, name)
            if indices is not None:
                setattr(
                    operator, name, [index if index < 0 else index + tensors for index in indices]
                )
    taken_index = int(tail.inputs[0]) + tensors
    graph.operators.append(_bridge(model, int(graph.outputs[0]), taken_index, taken.type))
    graph.operators += tail.operators
    graph.outputs = [int(index) + tensors for index in tail.outputs]
    signature = model.signatureDefs[0]
    signature.outputs = back.signatureDefs[0].outputs
    for named in signature.outputs:
        named.tensorIndex += tensors
    model.metadata = None
    if runtimes:  # one entry, since a runtime reads the first
        attach(model, _RUNTIME, _latest(runtimes).encode().ljust(_RUNTIME_BYTES, b"\0"))
    return serialise(model)


def second_of(model: Any) -> bytes:
    """The second of two models that `joined` has put in a row; their constants all stay.

    Raises:
        ValueError: the model is not of two.
    """
    graph = model.subgraphs[0]
    bridges = [index for index, one in enumerate(graph.operators) if _is_bridge(model, one)]
    if len(bridges) != 1:
        raise ValueError("no front end to leave out")
    graph.inputs = [int(index) for index in graph.operators[bridges[0]].outputs]
    graph.operators = graph.operators[bridges[0] + 1 :]
    model.signatureDefs = None
    return serialise(model)


def with_float_output(content: bytes) -> bytes:
    """The same model with its one output as float32: one that is quantised is read back inside."""
    model = parse(content)
    graph = model.subgraphs[0]
    given = int(graph.outputs[0])
    if graph.tensors[given].type == schema.TensorType.FLOAT32:
        return content
    tensor, buffer = schema.TensorT(), schema.BufferT()
    tensor.name, tensor.type = "output", schema.TensorType.FLOAT32
    tensor.shape, tensor.shapeSignature = graph.tensors[given].shape, None
    tensor.buffer = len(model.buffers)
    model.buffers.append(buffer)
    graph.tensors.append(tensor)
    operator = _operator(model, "DEQUANTIZE", given, len(graph.tensors) - 1)
    operator.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
    operator.builtinOptions = schema.DequantizeOptionsT()
    graph.operators.append(operator)
    graph.outputs = operator.outputs
    for signature in model.signatureDefs or []:
        for named in signature.outputs or []:
            if named.tensorIndex == given:
                named.tensorIndex = operator.outputs[0]
    return serialise(model)


def _bridge(model: Any, given: int, taken: int, taken_type: int) -> Any:
    """The operator that hands a float32 tensor on: quantised, or as it is."""
    if taken_type == schema.TensorType.FLOAT32:
        operator = _operator(model, "RESHAPE", given, taken)
        operator.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
        operator.builtinOptions = schema.ReshapeOptionsT()
        operator.builtinOptions.newShape = list(model.subgraphs[0].tensors[taken].shape)
    else:
        operator = _operator(model, "QUANTIZE", given, taken)
        operator.builtinOptionsType = schema.BuiltinOptions.QuantizeOptions
        operator.builtinOptions = schema.QuantizeOptionsT()
    return operator


def _is_bridge(model: Any, operator: Any) -> bool:
    """Whether `_bridge` has made an operator: no converter writes a float32 tensor so handed on."""
    name, tensors = operator_name(model, operator), model.subgraphs[0].tensors
    if name not in ("QUANTIZE", "RESHAPE") or len(operator.inputs) != 1:
        return False
    given, taken = tensors[operator.inputs[0]], tensors[operator.outputs[0]]
    return given.type == schema.TensorType.FLOAT32 and list(given.shape) == list(taken.shape)


def _operator(model: Any, name: str, given: int, taken: int) -> Any:
    """An operator of one input and one output."""
    operator = schema.OperatorT()
    operator.opcodeIndex = operator_code(model, name)
    operator.inputs, operator.outputs = [given], [taken]
    return operator


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else name
