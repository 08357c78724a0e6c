"""Writes a model as a C header: its bytes and the constants that the calling code needs."""

import re
from collections.abc import Iterator

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from dcase_system.audio.specs import front_end_to_json
from dcase_system.models.signature import ModelSignature

_BYTES_A_LINE, _LABELS_A_LINE, _FLOATS_A_LINE = 16, 1, 6
# TFLite Micro reads the model in place; flatbuffers need 16-byte alignment.
_ALIGNMENT = 16
# Printable ASCII without the quotation mark, the question mark and the backslash.
_PLAIN = re.compile(r"[ !#->@-\[\]-~]")


def c_header(name: str, content: bytes, signature: ModelSignature, arena_bytes: int) -> str:
    """Returns the text of a header for C11 and C++11, to be included by one source file.

    Args:
        name: Prefix of the names in the header.
        content: Content of an int8 `.tflite` file that takes features.
        signature: Signature of its network.
        arena_bytes: Arena size that the interpreter needs.
    """
    small, large = _identifier(name), _identifier(name).upper()
    guard = f"{large}_H"
    defined = dict(_constants(content, signature, arena_bytes))
    lines = [
        "/* Written by dcase_system.edge.microcontroller; do not edit. */",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        "#ifdef __cplusplus",
        f"#define {large}_ALIGNED alignas({_ALIGNMENT})",
        "#else",
        f"#define {large}_ALIGNED _Alignas({_ALIGNMENT})",
        "#endif",
        "",
        "/* real = SCALE * (stored - ZERO_POINT); stored is rounded and clipped, not cast. */",
        *(f"#define {large}_{key} {value}" for key, value in defined.items()),
        "",
        "/* Class names in the order of the logits. */",
        f"static const char *const {small}_labels[] = {{",
        *rows([c_string(label) for label in signature.labels], _LABELS_A_LINE),
        "};",
        "",
        *_normalisation(small, signature),
        f"static const unsigned int {small}_length = {len(content)};",
        f"{large}_ALIGNED static const unsigned char {small}[] = {{",
        *rows([f"0x{byte:02x}" for byte in content], _BYTES_A_LINE),
        "};",
        "",
        f"#endif /* {guard} */",
    ]
    return "\n".join(lines) + "\n"


def c_string(text: str) -> str:
    """Returns a text as a C string literal, UTF-8.

    All but plain characters become three octal digits, whose meaning a following digit cannot
    change. So does the question mark, because it starts trigraphs.
    """
    written = (
        chr(byte) if _PLAIN.fullmatch(chr(byte)) else f"\\{byte:03o}" for byte in text.encode()
    )
    return f'"{"".join(written)}"'


def _identifier(name: str) -> str:
    """Returns a C name: other characters become underscores; it never begins with a digit."""
    name = re.sub(r"[^0-9A-Za-z_]", "_", name)
    return f"model_{name}" if not name or name[0].isdigit() or name[0] == "_" else name


def _constants(
    content: bytes, signature: ModelSignature, arena_bytes: int
) -> Iterator[tuple[str, str]]:
    """Yields the names and values of the macros."""
    interpreter = Interpreter(model_content=content)
    for key, details in (
        ("INPUT", interpreter.get_input_details()[0]),
        ("OUTPUT", interpreter.get_output_details()[0]),
    ):
        scale, zero_point = details["quantization"]
        yield f"{key}_SIZE", number(int(np.prod(details["shape"])))
        yield f"{key}_SCALE", number(float(scale))
        yield f"{key}_ZERO_POINT", number(int(zero_point))
    yield "ARENA_BYTES", number(arena_bytes)
    yield "CLASSES", number(len(signature.labels))
    yield "ACTIVATION", c_string(signature.activation)
    # 0: none. Any answer below it is `unknown`.
    yield "REJECTION_THRESHOLD", number(float(signature.rejection_threshold or 0.0))
    yield "SAMPLES", number(signature.samples)
    yield "CHANNELS", number(signature.channels)
    yield "SEGMENTS", number(signature.segments)
    for key, value in front_end_to_json(signature.front_end).items():
        if value is not None:
            known = f"FRONT_END_{key.upper()}"
            yield known, c_string(value) if isinstance(value, str) else number(value)


def number(value: float) -> str:
    """Returns an integer or float literal; negative ones in parentheses, as macros need."""
    # np.float32 prints the fewest digits that give the same single-precision number again.
    text = f"{np.float32(value)!s}f" if isinstance(value, float) else f"{int(value)}"
    return f"({text})" if value < 0 else text


def _normalisation(name: str, signature: ModelSignature) -> Iterator[str]:
    """Yields tables of (bands, channels): features become (features - mean) / scale."""
    if signature.normalisation is None:
        return
    for key, table in vars(signature.normalisation).items():
        values = [number(float(value)) for row in table for value in row]
        yield f"static const float {name}_{key}[] = {{"
        yield from rows(values, _FLOATS_A_LINE)
        yield "};"
        yield ""


def rows(values: list[str], a_line: int) -> Iterator[str]:
    """Yields the lines between the braces of an array."""
    for start in range(0, len(values), a_line):
        yield f"    {', '.join(values[start : start + a_line])},"
