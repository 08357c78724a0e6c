"""Device impulse response augmentation: makes clips of one device sound like other microphones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import fft

from dcase_system.audio.decode import read_audio, resample
from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint
from dcase_system.core.folders import refuse_file
from dcase_system.core.locations import files_below
from dcase_system.corpora.formats import SUFFIXES


# Arrays have no single truth value, so these cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class ImpulseResponses:
    """Measured impulse responses at one sample rate.

    Attributes:
        responses: float32 (responses, taps); shorter ones are zero-padded.
        key: Fingerprint of the responses.
    """

    responses: np.ndarray
    key: str

    def __len__(self) -> int:
        return len(self.responses)


@dataclass(frozen=True, eq=False)
class DeviceAugmentation:
    """Convolves some clips of a batch, each with a randomly drawn impulse response.

    Only clips of the high-quality device are eligible, as their recordings are nearest to the
    original sound: fschmid56/cpjku_dcase23 uses device `a` and a probability of 0.6.

    Attributes:
        impulse_responses: Responses to draw from, uniformly.
        eligible: Whether each clip of the training list is eligible, bool (clips,).
        probability: Probability that an eligible clip is convolved.
    """

    impulse_responses: ImpulseResponses
    eligible: np.ndarray
    probability: float

    def __call__(
        self, waveforms: np.ndarray, positions: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """Augments a batch of training waveforms.

        Args:
            waveforms: Waveforms (batch, samples), not modified.
            positions: Positions (batch,) of these clips in the training list.
            generator: Random number generator.
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
    """Reads all audio files of a folder, in the order of their names.

    Each is resampled and scaled to unit energy, so that noise keeps its level: gains in published
    collections differ by 20 dB, and a classifier should not have to learn to ignore level. (The
    published code does not scale.)

    Args:
        folder: Folder of the files.
        sample_rate: Sample rate of the clips in Hz.

    Raises:
        InputError: The folder has no audio file, or one is damaged, silent or not mono.
    """
    folder = Path(folder)
    refuse_file(folder)
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
    """Convolves each row fully and cuts it to the length of the waveform.

    Args:
        waveforms: Waveforms (batch, samples).
        responses: Impulse responses (batch, taps).

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
