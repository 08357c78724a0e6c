"""The structure of a `.tflite` file: its operators, its metadata, two models in a row."""

from collections import Counter
from typing import Any

from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

_OPERATOR_NAMES = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
}
_INDICES = ("inputs", "outputs", "intermediates")


def parse(content: bytes) -> Any:
    """The tree of a `.tflite` file."""
    return flatbuffer_utils.convert_bytearray_to_object(bytearray(content))


def serialise(model: Any) -> bytes:
    return flatbuffer_utils.convert_object_to_bytearray(model)


def operators(model: Any) -> dict[str, int]:
    """How often each operator occurs, by name."""
    counts = Counter(
        operator_name(model, operator)
        for subgraph in model.subgraphs
        for operator in subgraph.operators
    )
    return dict(sorted(counts.items()))


def operator_name(model: Any, operator: Any) -> str:
    """What an operator of a model does, such as CONV_2D."""
    code = model.operatorCodes[operator.opcodeIndex]
    # Codes above 127 do not fit the older of the two fields.
    return _OPERATOR_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]


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


def joined(first: bytes, second: bytes) -> bytes:
    """One model that runs two in a row: the second takes what the first gives.

    Each has one subgraph with one input and one output. The first gives float32; where the second
    takes a quantised input, the values are quantised in between.

    Raises:
        ValueError: what the first gives has another shape than what the second takes.
    """
    front, back = parse(first), parse(second)
    model, graph, tail = front, front.subgraphs[0], back.subgraphs[0]
    codes, buffers, tensors = len(model.operatorCodes), len(model.buffers), len(graph.tensors)
    given, taken = graph.tensors[graph.outputs[0]], tail.tensors[tail.inputs[0]]
    if list(given.shape) != list(taken.shape):
        raise ValueError(f"{list(given.shape)} cannot be joined to {list(taken.shape)}")
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
    # Names of inputs and outputs for callers by signature; theirs are those of the first alone.
    model.signatureDefs = None
    model.metadata = None
    return serialise(model)


def _bridge(model: Any, given: int, taken: int, taken_type: int) -> Any:
    """The operator that hands a float32 tensor on: quantised, or as it is."""
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    if taken_type == schema.TensorType.FLOAT32:
        builtin = schema.BuiltinOperator.RESHAPE
        operator.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
        operator.builtinOptions = schema.ReshapeOptionsT()
        operator.builtinOptions.newShape = list(model.subgraphs[0].tensors[taken].shape)
    else:
        builtin = schema.BuiltinOperator.QUANTIZE
        operator.builtinOptionsType = schema.BuiltinOptions.QuantizeOptions
        operator.builtinOptions = schema.QuantizeOptionsT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 1
    operator.opcodeIndex = len(model.operatorCodes)
    operator.inputs, operator.outputs = [given], [taken]
    model.operatorCodes.append(code)
    return operator


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else name
