"""What the C front end computes for a signature, and which signatures it can compute.

signal   = samples, or their pre-emphasis
power    = |FFT(window * signal around each multiple of the hop, reflected at the ends)|^2
features = (ln(max(mel weights * power + offset, smallest)) * factor - mean) / scale
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from dcase_system.audio.filters import DECIBELS, htk_mel_bank, slaney_mel_bank
from dcase_system.audio.kaldi_mel import kaldi_mel_bank as kaldi_bank
from dcase_system.audio.specs import (
    NORMALISED_SCALE,
    NORMALISED_SHIFT,
    KaldiMelSpec,
    LogMelSpec,
    PannsMelSpec,
    front_end_to_json,
)
from dcase_system.core.errors import InputError
from dcase_system.models.signature import ModelSignature

_LONGEST_FFT = 2**15  # bins and weights are counted in 16 bits


@dataclass(frozen=True, eq=False)
class FrontEnd:
    """The computation of one signature's features.

    Attributes:
        samples: Samples of a clip.
        hop_length: Samples between columns.
        fft_length: Points of the FFT, a power of two.
        window: The whole window, float32, of an even length.
        periodic: Whether the window is that of a period, with one largest value; it is symmetric,
            with two, otherwise.
        bank: Mel weights (fft_length // 2 + 1, bands), float32.
        pre_emphasis: Coefficient c in signal[n] = sample[n + 1] - c * sample[n]; None for the
            samples themselves.
        log_offset: Offset added to the mel power.
        smallest_power: Lower limit of the mel power.
        log_factor: Factor of the natural logarithm.
        mean: Mean subtracted from the features, one for each band or for all (1,).
        scale: Scale that divides them, likewise.
    """

    samples: int
    hop_length: int
    fft_length: int
    window: np.ndarray
    periodic: bool
    bank: np.ndarray
    pre_emphasis: float | None
    log_offset: float
    smallest_power: float
    log_factor: float
    mean: np.ndarray
    scale: np.ndarray

    @property
    def bands(self) -> int:
        return self.bank.shape[1]

    @property
    def columns(self) -> int:
        """Columns of a clip; the first is centred on the first value of the signal."""
        return (self.samples - self.emphasised) // self.hop_length + 1

    @property
    def emphasised(self) -> int:
        """1 if there is pre-emphasis, which has one value less than samples; otherwise 0."""
        return int(self.pre_emphasis is not None)


def front_end_of(signature: ModelSignature) -> FrontEnd:
    """Returns the computation of a signature's features.

    Raises:
        InputError: The C front end cannot compute them.
    """
    spec = signature.front_end
    if not isinstance(spec, LogMelSpec | KaldiMelSpec | PannsMelSpec):
        raise _unsuitable("no such front end in C", "log_mel, kaldi_mel or panns_mel", spec)
    if signature.channels != 1:
        raise _unsuitable("front end in C takes one channel", "1", signature.channels)
    found = _computation(spec, signature)
    length, window = found.fft_length, len(found.window)
    if not 8 <= length <= _LONGEST_FFT or length & (length - 1):
        raise _unsuitable(
            "FFT in C needs a power of two", f"8 to {_LONGEST_FFT:,} points", f"{length:,}"
        )
    if window % 2 or not 0 < window <= length:
        raise _unsuitable(
            "window does not fit the front end in C",
            f"an even number of samples, at most the FFT's {length:,}",
            f"{window:,}",
        )
    if signature.samples - found.emphasised <= window // 2:
        raise _unsuitable(
            "clip is too short to be reflected at its ends",
            f"more than half a window of {window:,} samples",
            f"{signature.samples:,} samples",
        )
    if max(found.log_offset, found.smallest_power) <= 0:
        raise _unsuitable("silence has no logarithm", "a positive offset or smallest power", 0)
    return found


def _unsuitable(what: str, expected: str, received: object) -> InputError:
    if not isinstance(received, str | int):
        received = front_end_to_json(received)["kind"]  # type: ignore[arg-type]
    return InputError(what, where="front end", expected=expected, received=f"{received}")


def _computation(
    spec: LogMelSpec | KaldiMelSpec | PannsMelSpec, signature: ModelSignature
) -> FrontEnd:
    length, periodic = spec.window_length, not isinstance(spec, KaldiMelSpec)
    pre_emphasis, offset, smallest, factor = None, 0.0, 0.0, 1.0
    mean, scale = np.zeros(1), np.ones(1)
    if signature.normalisation is not None:
        mean = np.array(signature.normalisation.mean)[:, 0]
        scale = np.array(signature.normalisation.scale)[:, 0]
    if isinstance(spec, PannsMelSpec):
        fft_length, bank = length, slaney_mel_bank(spec)
        smallest, factor = spec.smallest_power, DECIBELS
    else:
        fft_length, offset = spec.fft_length, spec.log_offset
        if isinstance(spec, KaldiMelSpec):
            pre_emphasis = spec.pre_emphasis
            bank = kaldi_bank(spec, spec.min_hz, spec.max_hz).numpy()
            # ((ln + shift) / s - mean) / scale = (ln - (s * mean - shift)) / (s * scale)
            mean = NORMALISED_SCALE * mean - NORMALISED_SHIFT
            scale = NORMALISED_SCALE * scale
        else:
            bank = htk_mel_bank(spec)
    return FrontEnd(
        signature.samples,
        spec.hop_length,
        fft_length,
        tf.signal.hann_window(length, periodic).numpy(),
        periodic,
        bank.astype(np.float32),
        pre_emphasis,
        offset,
        smallest,
        factor,
        mean,
        scale,
    )
