"""The front ends by their specs."""

import keras

from dcase_system.audio.kaldi_mel import KaldiMel, KaldiMelSpec
from dcase_system.audio.log_mel import LogMel, LogMelSpec

FrontEndSpec = LogMelSpec | KaldiMelSpec


def front_end(spec: FrontEndSpec, seed: int | None = None) -> keras.layers.Layer:
    """The layer of a spec, waveforms (batch, samples) to (batch, mels, frames, 1).

    Args:
        spec: of either front end.
        seed: of what the layer draws in training, if it draws anything.
    """
    return KaldiMel(spec, seed) if isinstance(spec, KaldiMelSpec) else LogMel(spec)
