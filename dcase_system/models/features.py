"""The front end that an architecture was published with."""

from dataclasses import replace
from typing import Any

from dcase_system.audio.specs import FrontEndSpec, KaldiMelSpec, LogMelSpec, YamnetMelSpec
from dcase_system.models.cnn_gru import CNNGRUSpec
from dcase_system.models.passt import PaSSTSpec
from dcase_system.models.tf_sepnet import TFSepNetSpec
from dcase_system.models.yamnet import YAMNetSpec

PASST = KaldiMelSpec(max_hz=15_500.0, max_hz_range=1_000)
"""PaSST's, as fschmid56/cpjku_dcase23 fine-tunes it."""

TF_SEPNET = KaldiMelSpec(
    window_length=3_072, hop_length=500, fft_length=4_096, n_mels=512, max_hz=16_000.0
)
"""TF-SepNet's (`CpMel` of yqcai888/easy_dcase_task1)."""


CNN_GRU = LogMelSpec(window_length=5_944, hop_length=990, fft_length=8_192)
"""CNN-GRU's (DCASE 2025, second place): windows of 186 ms every 31 ms, here at 32 kHz."""


def front_end_of(spec: Any) -> FrontEndSpec:
    """Returns the front end of an architecture's published trainings.

    Networks without one of their own get the log-mel of the 2024 baseline.
    """
    if isinstance(spec, PaSSTSpec):
        return PASST
    if isinstance(spec, TFSepNetSpec):
        return replace(TF_SEPNET, n_mels=spec.input_shape[0])
    if isinstance(spec, CNNGRUSpec):
        return replace(CNN_GRU, n_mels=spec.input_shape[0])
    if isinstance(spec, YAMNetSpec):
        return YamnetMelSpec()
    return LogMelSpec()
