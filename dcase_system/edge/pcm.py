"""Reads raw samples from a microphone or a pipe in blocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.corpora.formats import HEAD_BYTES, format_of

# By arecord's (ALSA) names: sample type and full scale.
PCM_FORMATS = {"S16_LE": ("<i2", 2**15), "S32_LE": ("<i4", 2**31), "FLOAT_LE": ("<f4", 1)}
_WHERE = "standard input"
_MOST_BYTES = 1 << 16  # per read


@dataclass(frozen=True)
class PCMFormat:
    """Raw samples: a name of `PCM_FORMATS`, rate in Hz, channels (interleaved)."""

    name: str
    sample_rate: int
    channels: int = 1


def pcm_blocks(stream: BufferedIOBase, form: PCMFormat) -> Iterator[np.ndarray]:
    """Yields the samples of a stream, each block as soon as it arrives.

    Args:
        stream: Stream of raw samples.
        form: Format of the samples.

    Yields:
        (samples, channels) float32, full scale = 1.

    Raises:
        InputError: The stream is an audio file, or has NaN or infinite samples.
    """
    kind, full_scale = PCM_FORMATS[form.name]
    frame_bytes = np.dtype(kind).itemsize * form.channels
    held = stream.read(HEAD_BYTES)
    found = format_of(held)
    if found:
        raise InputError(
            f"stream begins like {found}, not like raw samples",
            where=_WHERE,
            expected="raw samples (arecord: -t raw), or the name of a file",
        )
    new = held
    while new:
        whole = len(held) // frame_bytes * frame_bytes
        values = np.frombuffer(held[:whole], kind).reshape(-1, form.channels)
        samples = (values / full_scale).astype(np.float32)
        if not np.isfinite(samples).all():
            raise InputError(
                "NaN or infinite samples", where=_WHERE, expected=f"{form.name} samples"
            )
        yield samples
        new = stream.read1(_MOST_BYTES)
        held = held[whole:] + new
