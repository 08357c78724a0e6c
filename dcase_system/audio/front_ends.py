"""The front ends by their specs."""

import keras

from dcase_system.audio.kaldi_mel import KaldiMel, KaldiMelSpec
from dcase_system.audio.log_mel import LogMel, LogMelSpec
from dcase_system.audio.panns_mel import PannsMel, PannsMelSpec

FrontEndSpec = LogMelSpec | KaldiMelSpec | PannsMelSpec


def front_end(spec: FrontEndSpec, seed: int | None = None) -> keras.layers.Layer:
    """The layer of a spec, waveforms (batch, samples) to (batch, mels, frames, 1).

    Args:
        spec: of one of the front ends.
        seed: of what the layer draws in training, if it draws anything.
    """
    if isinstance(spec, KaldiMelSpec):
        return KaldiMel(spec, seed)
    return PannsMel(spec) if isinstance(spec, PannsMelSpec) else LogMel(spec)
