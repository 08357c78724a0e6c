"""Writes the operators that a model needs from TFLite Micro, as C++.

TFLite Micro links only the operators that a program registers.
"""

from collections.abc import Iterable

from dcase_system.core.errors import InputError

# As in tflite-micro at 90b983c (August 2026), micro_mutable_op_resolver.h; custom ones not.
_SUPPORTED = """
    ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND
    BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM
    DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL
    EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER
    GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG
    LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MAXIMUM MAX_POOL_2D MEAN MINIMUM
    MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_ALL REDUCE_MAX
    REDUCE_MIN RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT
    SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE
    SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV
    UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
    """
_SPELLED_OTHERWISE = {
    "BATCH_MATMUL": "BatchMatMul",
    "CUMSUM": "CumSum",
    "PADV2": "PadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
}


def methods(operators: Iterable[str], where: object) -> list[str]:
    """Returns the resolver's method for each operator, such as `AddConv2D` for `CONV_2D`.

    Raises:
        InputError: TFLite Micro has no such operator.
    """
    names, supported = sorted(set(operators)), set(_SUPPORTED.split())
    missing = [name for name in names if name not in supported]
    if missing:
        raise InputError(
            "TFLite Micro lacks operators of the model",
            where=where,
            expected="its built-in operators",
            received=", ".join(missing),
        )
    return [f"Add{_SPELLED_OTHERWISE.get(name) or _camel(name)}" for name in names]


def operators_header(operators: Iterable[str], arena_bytes: int, where: object) -> str:
    """Returns the text of `operators.h`: the operators to register, and the arena's size.

    Args:
        operators: Names of the model's operators.
        arena_bytes: Bytes of the arena.
        where: The model, for errors.

    Raises:
        InputError: TFLite Micro lacks one.
    """
    found = methods(operators, where)
    return "\n".join(
        [
            "// Written by dcase_system.edge.microcontroller; do not edit.",
            "#ifndef OPERATORS_H",
            "#define OPERATORS_H",
            "",
            '#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"',
            "",
            "// Tensors, and an estimate of the interpreter's own memory on 32 bits.",
            f"constexpr int kArenaBytes = {arena_bytes};",
            "",
            f"using Operators = tflite::MicroMutableOpResolver<{len(found)}>;",
            "",
            "inline TfLiteStatus add_operators(Operators &operators) {",
            *(f"    TF_LITE_ENSURE_STATUS(operators.{method}());" for method in found),
            "    return kTfLiteOk;",
            "}",
            "",
            "#endif  // OPERATORS_H",
            "",
        ]
    )


def _camel(name: str) -> str:
    """`DEPTHWISE_CONV_2D` as `DepthwiseConv2D`."""
    return "".join("2D" if word == "2D" else word.capitalize() for word in name.split("_"))
