"""Device impulse response augmentation: clips of one device as if other microphones took them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import fft

from dcase_system.audio.decode import read_audio, resample
from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint
from dcase_system.core.places import files_below
from dcase_system.corpora.formats import SUFFIXES


# Arrays have no single truth value, so these cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class ImpulseResponses:
    """Measured impulse responses at one sample rate.

    Attributes:
        responses: float32, (responses, taps), zeros after the end of the shorter ones.
        key: changes when one of the responses does.
    """

    responses: np.ndarray
    key: str

    def __len__(self) -> int:
        return len(self.responses)


@dataclass(frozen=True, eq=False)
class DeviceAugmentation:
    """Convolves some clips of a batch with an impulse response, each with one drawn for it.

    Only clips of the high-quality device take part, whose recordings are the nearest to what the
    microphones heard: fschmid56/cpjku_dcase23 does so with device `a` and a probability of 0.6.

    Attributes:
        impulse_responses: to draw from, evenly.
        eligible: (clips,) bool, which clips of the training list take part.
        probability: that an eligible clip is convolved.
    """

    impulse_responses: ImpulseResponses
    eligible: np.ndarray
    probability: float

    def __call__(
        self, waveforms: np.ndarray, positions: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """A batch of training waveforms, augmented.

        Args:
            waveforms: (batch, samples), left as they are.
            positions: (batch,) of these clips in the training list.
            generator: of the draws.
        """
        coins = generator.random(len(waveforms)) < self.probability
        drawn = generator.integers(len(self.impulse_responses), size=len(waveforms))
        taken = np.flatnonzero(coins & self.eligible[positions])
        augmented = waveforms.copy()
        augmented[taken] = convolve(
            waveforms[taken], self.impulse_responses.responses[drawn[taken]]
        )
        return augmented


def read_impulse_responses(folder: str | Path, sample_rate: int = 32_000) -> ImpulseResponses:
    """Reads every audio file of a folder, in the order of their names.

    Each is resampled and scaled to unit energy, so that noise keeps its level: published
    collections mix responses whose gains differ by 20 dB, and level is no property of a device that
    a classifier should have to unlearn. (The published code does not scale.)

    Args:
        folder: of the files.
        sample_rate: of the clips, in Hz.

    Raises:
        InputError: the folder has no such file, or one is broken, silent or not mono.
    """
    folder = Path(folder)
    names = list(files_below(folder, SUFFIXES, deep=False))
    if not names:
        raise InputError(
            "no impulse responses",
            where=folder,
            expected=f"a folder of {', '.join(sorted(SUFFIXES))} files",
        )
    read = [_read(folder / name, sample_rate) for name in names]
    responses = np.zeros((len(read), max(map(len, read))), np.float32)
    for row, response in zip(responses, read, strict=True):
        row[: len(response)] = response
    return ImpulseResponses(responses, fingerprint(responses.tobytes().hex()))


def convolve(waveforms: np.ndarray, responses: np.ndarray) -> np.ndarray:
    """Full convolution of each row, cut to the length of the waveform.

    Args:
        waveforms: (batch, samples).
        responses: (batch, taps).

    Returns:
        float32, (batch, samples).
    """
    samples = waveforms.shape[1]
    size = fft.next_fast_len(samples + responses.shape[1] - 1, real=True)
    spectra = fft.rfft(waveforms, size) * fft.rfft(responses, size)
    return fft.irfft(spectra, size)[:, :samples].astype(np.float32)


def _read(path: Path, sample_rate: int) -> np.ndarray:
    samples, rate = read_audio(path)
    if samples.shape[1] != 1:
        raise InputError(
            "impulse response is not mono",
            where=path,
            expected="1 channel",
            received=samples.shape[1],
        )
    response = resample(samples, rate, sample_rate)[:, 0]
    energy = float(np.square(response, dtype=np.float64).sum())
    if energy == 0.0:
        raise InputError("impulse response is silent", where=path)
    return (response / np.sqrt(energy)).astype(np.float32)
