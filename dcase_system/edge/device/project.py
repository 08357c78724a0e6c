"""Writes a folder that classifies on a microcontroller, and on this computer for a trial."""

from pathlib import Path
from typing import Any

from ai_edge_litert.interpreter import Interpreter

from dcase_system.core.files import write_text
from dcase_system.edge import flatbuffer
from dcase_system.edge.arena import arena, with_plan
from dcase_system.edge.c_header import c_header
from dcase_system.edge.device.front_end import FrontEnd, front_end_of
from dcase_system.edge.device.operators import methods, operators_header
from dcase_system.edge.device.tables import constants_header, memory, tables_header
from dcase_system.models.signature import ModelSignature

_SOURCE = Path(__file__).with_name("source")
_README = "README.md"


def write_project(path: Path, signature: ModelSignature, folder: Path) -> None:
    """Writes the front end, the model, a program, its Makefile and a README.

    Args:
        path: An int8 `.tflite` file that takes features.
        signature: Its signature.
        folder: Output folder.

    Raises:
        InputError: The C front end cannot compute the features, or TFLite Micro lacks an operator.
    """
    content = with_plan(path.read_bytes())
    front_end = front_end_of(signature)
    (taken,) = Interpreter(model_content=content).get_input_details()
    scale, zero_point = taken["quantization"]
    operators, arena_bytes = flatbuffer.operators(flatbuffer.parse(content)), arena(content).bytes
    written = {
        "front_end_constants.h": constants_header(front_end),
        "front_end_tables.h": tables_header(front_end, float(scale), int(zero_point)),
        "model.h": c_header("model", content, signature, arena_bytes),
        "operators.h": operators_header(operators, arena_bytes, path),
    }
    for source in sorted(_SOURCE.iterdir()):
        text = source.read_text(encoding="utf-8")
        if source.name == _README:
            text = text.format(**_described(path, front_end, operators, arena_bytes))
        written[source.name] = text
    for name, text in written.items():
        write_text(folder / name, text)


def _described(
    path: Path, front_end: FrontEnd, operators: dict[str, int], arena_bytes: int
) -> dict[str, Any]:
    """Returns the values of the README's placeholders."""
    needed = memory(front_end)
    return {
        "model": path.name,
        "samples": f"{front_end.samples:,}",
        "hop_length": f"{front_end.hop_length:,}",
        "columns": front_end.columns,
        "bands": front_end.bands,
        "state": f"{needed.state:,}",
        "features": f"{needed.features:,}",
        "tables": f"{needed.tables:,}",
        "arena": f"{arena_bytes:,}",
        "methods": ", ".join(f"`{method}`" for method in methods(operators, path)),
    }
