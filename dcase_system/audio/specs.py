"""Specs of the front ends: their constants; importing them does not load TensorFlow."""

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Annotated, Any

from dcase_system.audio.wavelets import wavelet_parameters
from dcase_system.core.checked import OfKind
from dcase_system.core.errors import InputError

# log-mel to network input: (log_mel + 4.5) / 5, the published "fast normalization".
NORMALISED_SHIFT, NORMALISED_SCALE = 4.5, 5.0


@dataclass(frozen=True)
class LogMelSpec:
    """Constants of a log-mel front end; the defaults are the 2024 baseline's.

    Attributes:
        sample_rate: Sample rate in Hz.
        window_length: Samples of the periodic Hann window (96 ms).
        hop_length: Samples between frames (15.6 ms).
        fft_length: Points of the FFT; the window is centred in it.
        n_mels: Number of mel bands.
        min_hz: Lower edge of the first band.
        max_hz: Upper edge of the last band.
        log_offset: Offset added to the mel power before the logarithm.
    """

    sample_rate: int = 32_000
    window_length: int = 3_072
    hop_length: int = 500
    fft_length: int = 4_096
    n_mels: int = 256
    min_hz: float = 0.0
    max_hz: float = 16_000.0
    log_offset: float = 1e-5

    @property
    def mask_value(self) -> float:
        """Output value of masked bins: the baseline zeroes the mel power before the logarithm."""
        return math.log(self.log_offset)

    def frames(self, samples: int) -> int:
        """Frames of a clip of `samples` samples; the first is centred on the first sample."""
        return samples // self.hop_length + 1


@dataclass(frozen=True)
class KaldiMelSpec:
    """Constants of the front end; the defaults are those of PaSST's AudioSet code.

    The last mel band ends at `max_hz`: 15,000 in PaSST's and hear21passt's code, 15,500 in
    CP-JKU's DCASE 2023 code. A published checkpoint needs the value it was trained with.

    Attributes:
        sample_rate: Sample rate in Hz.
        window_length: Samples of the symmetric Hann window (25 ms).
        hop_length: Samples between frames (10 ms).
        fft_length: Points of the FFT; the window is centred in it.
        n_mels: Number of mel bands.
        min_hz: Lower edge of the first band.
        max_hz: Upper edge of the last band.
        pre_emphasis: Coefficient in y[n] = x[n + 1] - pre_emphasis * x[n].
        log_offset: Offset added to the mel power before the logarithm.
        min_hz_range: Training draws the lower edge from min_hz + {0, ..., range - 1}, for each
            batch; 1 keeps it fixed. Published: 10, and 1 for DCASE 2023.
        max_hz_range: Training draws the upper edge from max_hz + range // 2 - {0, ..., range - 1};
            1 keeps it fixed. Published: 2,000, and 1,000 for DCASE 2023.
    """

    sample_rate: int = 32_000
    window_length: int = 800
    hop_length: int = 320
    fft_length: int = 1_024
    n_mels: int = 128
    min_hz: float = 0.0
    max_hz: float = 15_000.0
    pre_emphasis: float = 0.97
    log_offset: float = 1e-5
    min_hz_range: int = 1
    max_hz_range: int = 1

    def frames(self, samples: int) -> int:
        """Frames of a clip of `samples` samples; pre-emphasis removes one sample."""
        return (samples - 1) // self.hop_length + 1

    @property
    def mask_value(self) -> float:
        """Output value of masked bins.

        The published code masks the log-mel with 0 before normalisation. Here masks follow this
        layer, so this is the normalised 0.
        """
        return NORMALISED_SHIFT / NORMALISED_SCALE


@dataclass(frozen=True)
class PannsMelSpec:
    """Constants of the front end; the defaults are the published ones.

    Attributes:
        sample_rate: Sample rate in Hz.
        window_length: Samples of the periodic Hann window (32 ms), and points of the FFT.
        hop_length: Samples between frames (10 ms).
        n_mels: Number of mel bands.
        min_hz: Lower edge of the first band.
        max_hz: Upper edge of the last band.
        smallest_power: Lower limit of the mel power before the logarithm.
    """

    sample_rate: int = 32_000
    window_length: int = 1_024
    hop_length: int = 320
    n_mels: int = 64
    min_hz: float = 50.0
    max_hz: float = 14_000.0
    smallest_power: float = 1e-10

    @property
    def mask_value(self) -> float:
        """The level of silence in decibels."""
        return 10.0 * math.log10(self.smallest_power)

    def frames(self, samples: int) -> int:
        """Frames of a clip: 1,001 for 10 s (the paper of the supernet says 1,000)."""
        return samples // self.hop_length + 1


@dataclass(frozen=True)
class YamnetMelSpec:
    """Constants of the front end; the defaults are the published ones, for waveforms at 32 kHz.

    Attributes:
        sample_rate: Sample rate of the waveform in Hz.
        decimation: Samples of the waveform for each sample that YAMNet takes, at 16 kHz.
        window_length: Samples of the periodic Hann window (25 ms), after decimation.
        hop_length: Samples between frames (10 ms), after decimation.
        fft_length: Points of the FFT.
        n_mels: Number of mel bands.
        min_hz: Lower edge of the first band.
        max_hz: Upper edge of the last band.
        log_offset: Offset added to the mel magnitude before the logarithm.
    """

    sample_rate: int = 32_000
    decimation: int = 2
    window_length: int = 400
    hop_length: int = 160
    fft_length: int = 512
    n_mels: int = 64
    min_hz: float = 125.0
    max_hz: float = 7_500.0
    log_offset: float = 0.001

    @property
    def mask_value(self) -> float:
        """The level of silence."""
        return math.log(self.log_offset)

    def frames(self, samples: int) -> int:
        """Frames of a clip; the first starts with the clip, and only whole windows count."""
        decimated = -(-samples // self.decimation)
        return max(0, decimated - self.window_length) // self.hop_length + 1


@dataclass(frozen=True)
class EmbeddingSpec:
    """A network in a file, used as a front end; made by `embedding_spec`.

    Attributes:
        file: Path of the `.tflite` file or of the SavedModel's folder.
        digest: SHA-256 of its content.
        output: Name of the output to use.
        n_mels: Number of values in it: the height of this front end's "spectrogram".
        window: Samples that the network takes at a time, at its own rate; 0 if any number.
        decimation: Samples of the waveform for each sample that the network takes.
        sample_rate: Sample rate of the waveform in Hz.
    """

    file: str
    digest: str
    output: str
    n_mels: int
    window: int
    decimation: int
    sample_rate: int = 32_000

    mask_value = 0.0

    def frames(self, samples: int) -> int:
        """Frames of a clip: one, the mean over windows and over the output's own frames."""
        return 1


@dataclass(frozen=True)
class ScalogramSpec:
    """Constants of the front end; the defaults are the paper's.

    Attributes:
        sample_rate: Sample rate in Hz.
        window_length: Samples of the periodic Hamming window (25 ms).
        hop_length: Samples between frames (10 ms).
        fft_length: Points of the FFT.
        octaves: J of the filter bank.
        per_octave: Q of the filter bank.
        log_first: Whether the bank filters decibels (the paper) or power (the code).
        range_db: Dynamic range below a clip's largest value in decibels, for the code's order.
        smallest_power: Lower limit of the power before the logarithm.
        segment_frames: Frames of a segment; segments do not overlap.
        tail_value: Padding value of the last segment (the code: -80); None drops an incomplete
            segment.
    """

    sample_rate: int = 48_000
    window_length: int = 1_200
    hop_length: int = 480
    fft_length: int = 2_048
    octaves: int = 10
    per_octave: int = 16
    log_first: bool = True
    range_db: float = 80.0
    smallest_power: float = 1e-10
    segment_frames: int = 128
    tail_value: float | None = None

    @cached_property
    def bands(self) -> int:
        """Number of bands: the low-pass and the wavelets."""
        return 1 + len(wavelet_parameters(self.octaves, self.per_octave)[0])

    def frames(self, samples: int) -> int:
        """Frames of a clip of `samples` samples: 1,001 for 10 s (the paper says 1,000)."""
        return samples // self.hop_length + 1

    def segments(self, samples: int) -> int:
        """Number of segments of a clip.

        Raises:
            InputError: The clip is shorter than a segment.
        """
        frames = self.frames(samples)
        if frames < self.segment_frames:
            raise InputError(
                "clip is shorter than a segment",
                where="scalogram",
                expected=f"at least {self.segment_frames} frames of {self.hop_length} samples",
                received=f"{frames} frames",
            )
        whole, rest = divmod(frames, self.segment_frames)
        return whole + (self.tail_value is not None and rest > 0)


FrontEndSpec = LogMelSpec | KaldiMelSpec | PannsMelSpec | YamnetMelSpec | EmbeddingSpec
KINDS: dict[str, type] = {
    "log_mel": LogMelSpec,
    "kaldi_mel": KaldiMelSpec,
    "panns_mel": PannsMelSpec,
    "yamnet_mel": YamnetMelSpec,
    "embedding": EmbeddingSpec,
    "scalogram": ScalogramSpec,
}
"""Spec of each kind of front end, by the name that files give it."""
AnySpec = Annotated[FrontEndSpec | ScalogramSpec, OfKind(KINDS, "not a front end")]
"""Any front-end spec; in JSON as from `front_end_to_json`."""


def front_end_to_json(spec: AnySpec) -> dict[str, Any]:
    """Converts a spec to JSON-serialisable values, with its kind."""
    return {"kind": kind_of(spec), **asdict(spec)}


def kind_of(spec: AnySpec) -> str:
    """Returns the name of a spec's kind."""
    return next(kind for kind, cls in KINDS.items() if type(spec) is cls)
