"""The card of a `.tflite` file: its input and output, stored in the file and beside it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_edge_litert.interpreter import Interpreter

from dcase_system.core.errors import InputError
from dcase_system.core.files import parse_json, replacing, write_json
from dcase_system.edge import flatbuffer
from dcase_system.models.signature import ModelSignature

_METADATA = "dcase_system.card"
_TAKES = ("features", "waveform")


@dataclass(frozen=True, eq=False)
class Card:
    """Metadata stored in our `.tflite` files.

    Attributes:
        format: Name of the format in `tflite.FORMATS`.
        takes: Input: `features`, for which the caller runs the front end, or `waveform`.
        signature: Signature of the network.
        quantised: `after training` or `aware` (quantization-aware training); None if not quantized.
        calibration_clips: Number of clips that set the ranges of int8 activations; None for other
            formats, and in files of earlier versions.
    """

    format: str
    takes: str
    signature: ModelSignature
    quantised: str | None = None
    calibration_clips: int | None = None


def write_model(path: Path, content: bytes, card: Card) -> None:
    """Writes a `.tflite` file with its card inside, and the whole card beside it as JSON."""
    model = flatbuffer.parse(content)
    stored = {
        "format": card.format,
        "quantised": card.quantised,
        "calibration_clips": card.calibration_clips,
        "takes": card.takes,
        "contract": card.signature.to_json(),
    }
    flatbuffer.attach(model, _METADATA, json.dumps(stored).encode())
    flatbuffer.name_ends(model, card.takes, "logits")
    content = flatbuffer.serialise(model)
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    interpreter = Interpreter(model_content=content)
    whole = {
        "file": path.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "input": _tensor(interpreter.get_input_details()[0], _TAKEN[card.takes]),
        "output": _tensor(interpreter.get_output_details()[0], _given(card.signature)),
        "operators": flatbuffer.operators(model),
        "operator_versions": flatbuffer.operator_versions(model),
        "least_tensorflow_lite": flatbuffer.least_runtime(model),
        **stored,
    }
    write_json(path.with_suffix(".json"), whole)


def read_card(path: str | Path) -> Card:
    """Reads the card in a `.tflite` file.

    Raises:
        InputError: The file is missing, or this package did not write it.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"model cannot be read ({error.strerror})", where=path, expected="a .tflite file"
        ) from error
    values = _stored(content)
    if not isinstance(values, dict) or values.get("takes") not in _TAKES:
        raise InputError(
            "not a model of this package",
            where=path,
            expected="a .tflite file with its card inside, as `dcase_system.edge.export` writes it",
        )
    return Card(
        str(values.get("format")),
        values["takes"],
        ModelSignature.from_json(values.get("contract"), path),
        values.get("quantised"),
        values.get("calibration_clips"),
    )


def _stored(content: bytes) -> Any:
    """Returns the JSON value in a file; None if there is none, or the file is no TFLite model."""
    try:
        stored = flatbuffer.attached(flatbuffer.parse(content), _METADATA)
        return None if stored is None else parse_json(stored)
    except ValueError:
        return None


_TAKEN = {
    "waveform": "samples of one clip, full scale = 1, at the contract's sample rate",
    "features": "output of the contract's front end for one clip, or one segment of a clip",
}


_WAYS = {
    "softmax": ("softmax over the labels", "gives probabilities that sum to 1"),
    "sigmoid": (
        "the sigmoid of each",
        "gives the probability that its label is present; several may be",
    ),
    "scaled_sigmoid": (
        "the sigmoid of each",
        "divided by the sum over the labels gives probabilities that sum to 1",
    ),
}


def _given(signature: ModelSignature) -> str:
    """Describes the output, and how to compute `ModelSignature.probabilities` from it."""
    several = signature.segments > 1
    rows = "a row for each segment of a clip" if several else "one for each label"
    mean = ", averaged over the rows," if several else ""
    first, last = _WAYS[signature.activation]
    return f"logits, {rows}, not probabilities: {first}{mean} {last}"


def _tensor(details: dict, meaning: str) -> dict[str, Any]:
    scale, zero_point = details["quantization"]
    described = {
        "name": details["name"],
        "type": details["dtype"].__name__,
        "shape": details["shape"].tolist(),
        "meaning": meaning,
    }
    if scale:
        described |= {
            "scale": float(scale),
            "zero_point": int(zero_point),
            "real_value": "scale * (stored value - zero_point); round and clip, do not cast",
        }
    return described
