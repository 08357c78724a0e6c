"""Builds front ends from their specs."""

from dataclasses import asdict
from typing import Annotated, Any

import keras

from dcase_system.audio.embedding import Embedding, EmbeddingSpec
from dcase_system.audio.kaldi_mel import KaldiMel, KaldiMelSpec
from dcase_system.audio.log_mel import LogMel, LogMelSpec
from dcase_system.audio.panns_mel import PannsMel, PannsMelSpec
from dcase_system.audio.scalogram import Scalogram, ScalogramSpec
from dcase_system.audio.yamnet_mel import YamnetMel, YamnetMelSpec
from dcase_system.core.checked import OfKind

FrontEndSpec = LogMelSpec | KaldiMelSpec | PannsMelSpec | YamnetMelSpec | EmbeddingSpec
_KINDS: dict[str, tuple[type, type[keras.layers.Layer]]] = {
    "log_mel": (LogMelSpec, LogMel),
    "kaldi_mel": (KaldiMelSpec, KaldiMel),
    "panns_mel": (PannsMelSpec, PannsMel),
    "yamnet_mel": (YamnetMelSpec, YamnetMel),
    "embedding": (EmbeddingSpec, Embedding),
    "scalogram": (ScalogramSpec, Scalogram),
}
AnySpec = Annotated[
    FrontEndSpec | ScalogramSpec,
    OfKind({kind: cls for kind, (cls, _) in _KINDS.items()}, "not a front end"),
]
"""Any front-end spec; in JSON as from `front_end_to_json`."""


def front_end(
    spec: AnySpec, seed: int | None = None, name: str | None = None
) -> keras.layers.Layer:
    """Builds the layer of a spec, from waveforms (batch, samples) to (batch, mels, frames, 1).

    A scalogram's input is (batch, samples, 2) and its output (batch, bands, frames, 2).

    Args:
        spec: Spec of a front end.
        seed: Seed of the layer's randomness in training, if any.
        name: Name of the layer; Keras' numbered default if None.
    """
    if isinstance(spec, KaldiMelSpec):
        return KaldiMel(spec, seed, name=name)
    return _KINDS[_kind(spec)][1](spec, name=name)


def front_end_to_json(spec: AnySpec) -> dict[str, Any]:
    """Converts a spec to JSON-serialisable values, with its kind."""
    return {"kind": _kind(spec), **asdict(spec)}


def _kind(spec: AnySpec) -> str:
    return next(kind for kind, (cls, _) in _KINDS.items() if type(spec) is cls)
