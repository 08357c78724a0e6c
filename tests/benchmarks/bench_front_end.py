"""Log-mel spectrograms of the 2024 baseline, of 64 waveforms of a second."""

import numpy as np
import scipy.fft
import tensorflow as tf

from dcase_system.audio.filters import htk_mel_bank
from dcase_system.audio.log_mel import LogMel
from dcase_system.audio.specs import LogMelSpec
from tests.benchmarks.clips import SAMPLE_RATE, waveforms
from tests.benchmarks.harness import Contender, Row, alternate, compared

CLIPS = 64


def rows(rounds: int) -> list[Row]:
    import librosa
    import torch

    from tests.benchmarks import torch_training

    x, spec = waveforms(CLIPS), LogMelSpec()
    bank = htk_mel_bank(spec).astype(np.float32)
    layer = tf.function(LogMel(spec))
    tensor, torch_layer = tf.constant(x), torch_training.LogMel(spec)
    torch_x = torch.from_numpy(x)

    def by_torch() -> None:
        with torch.inference_mode():
            torch_layer(torch_x)

    def by_librosa() -> None:
        for clip in x:
            power = librosa.stft(
                clip,
                n_fft=spec.fft_length,
                hop_length=spec.hop_length,
                win_length=spec.window_length,
                pad_mode="reflect",
            )
            np.log(bank.T @ np.square(np.abs(power)) + spec.log_offset)

    contenders: dict[str, Contender] = {
        "layer": lambda: layer(tensor).numpy(),
        "PyTorch, as torchaudio": by_torch,
        "librosa": by_librosa,
        "floor: FFT and one matrix product": _floor(x, spec, bank),
    }
    return compared("log-mel", alternate(contenders, rounds), CLIPS)


def _floor(x: np.ndarray, spec: LogMelSpec, bank: np.ndarray) -> Contender:
    """The minimum of work: the FFT of given frames, and the bands."""
    starts = np.arange(spec.frames(SAMPLE_RATE)) * spec.hop_length
    padded = np.pad(x, [(0, 0), (0, spec.window_length)])
    frames = padded[:, starts[:, None] + np.arange(spec.window_length)]

    def run() -> None:
        spectrum = scipy.fft.rfft(frames, spec.fft_length, workers=-1)
        (spectrum.real**2 + spectrum.imag**2).reshape(-1, len(bank)) @ bank

    return run
