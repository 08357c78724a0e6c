"""A page that classifies scenes in the browser: one HTML file with network and runtime inside.

It can be opened from disk or served from anywhere; it loads nothing else. `make page` builds it
from `source/` into `built/`.
"""

import base64
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.core.files import write_text
from dcase_system.edge import flatbuffer
from dcase_system.edge.card import read_card
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models.signature import ModelSignature

PAGE = "index.html"
_BUILT = Path(__file__).parent / "built"
_PLACE = "<!--payload-->"


def write_page(model: Path, folder: Path) -> Path:
    """Writes a page that runs a model in the browser.

    Args:
        model: A `.tflite` file of this package that takes a waveform.
        folder: Output folder for `index.html`, the only file written; created if missing.

    Returns:
        The path of the page.

    Raises:
        InputError: The model is missing, was not written by this package, or takes features.
    """
    card = read_card(model)
    if card.takes != "waveform":
        raise InputError(
            "the page cannot run this model",
            where=model,
            expected="one that takes a waveform (student_..._waveform.tflite)",
            received=f"one that takes {card.takes}",
        )
    content = model.read_bytes()
    described = {
        "file": model.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "format": card.format,
        "contract": card.signature.to_json() | {"sample_rate": card.signature.sample_rate},
        "check": _check(model, card.signature),
    }
    # LiteRT's interface for the browser reads float32, int32 and uint8, not int8.
    network = flatbuffer.with_float_output(content)
    payload = {
        "loader": (_BUILT / "litert.js.gz").read_bytes(),
        "runtime": (_BUILT / "litert.wasm.gz").read_bytes(),
        "network": gzip.compress(network, mtime=0),
        "card": gzip.compress(json.dumps(described).encode(), mtime=0),
    }
    blocks = "\n    ".join(_block(name, packed) for name, packed in payload.items())
    page = (_BUILT / PAGE).read_text(encoding="utf-8")
    write_text(folder / PAGE, page.replace(_PLACE, blocks))
    return folder / PAGE


def _check(path: Path, signature: ModelSignature) -> dict[str, Any]:
    """Returns the model's logits for a sound that the page can generate, and the tolerance."""
    model = TFLiteModel(path)
    counted = np.arange(signature.samples * signature.channels)
    # All frequencies up to half the sample rate, equally strong.
    sound = (counted**2 % 1009 / 5040 - 0.1).astype(np.float32)
    logits = model(sound.reshape(1, *signature.waveform_shape)).ravel()
    step, _ = model.output["quantization"]
    tolerance = max(4 * step, 0.02 * max(1.0, float(np.abs(logits).max())))
    return {"logits": logits.tolist(), "tolerance": tolerance}


def _block(name: str, packed: bytes) -> str:
    """Returns an element that the page reads and browsers do not run; base64 cannot close it."""
    text = base64.b64encode(packed).decode()
    return f'<script type="application/gzip" id="{name}">{text}</script>'
