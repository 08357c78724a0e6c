"""Builds front ends from their specs."""

import keras

from dcase_system.audio.embedding import Embedding
from dcase_system.audio.kaldi_mel import KaldiMel
from dcase_system.audio.log_mel import LogMel
from dcase_system.audio.panns_mel import PannsMel
from dcase_system.audio.scalogram import Scalogram
from dcase_system.audio.specs import AnySpec, KaldiMelSpec, kind_of
from dcase_system.audio.yamnet_mel import YamnetMel

_LAYERS: dict[str, type[keras.layers.Layer]] = {
    "log_mel": LogMel,
    "kaldi_mel": KaldiMel,
    "panns_mel": PannsMel,
    "yamnet_mel": YamnetMel,
    "embedding": Embedding,
    "scalogram": Scalogram,
}


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
    return _LAYERS[kind_of(spec)](spec, name=name)
