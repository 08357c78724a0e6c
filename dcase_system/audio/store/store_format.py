"""The format of a store's waveforms, and the conversion of clips to it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dcase_system.audio.decode import mono, open_audio, read_audio, resample, resample_blocks
from dcase_system.core.errors import InputError
from dcase_system.core.files import read_json, write_json
from dcase_system.core.locations import Location

FORMAT_FILE = "format.json"
FULL_SCALE = 2**15
_VERSION = 3
_LAYOUT = "one file"
_SHORTEST_SECONDS = 0.032  # a frame of PANNs' front end


@dataclass(frozen=True)
class StoreFormat:
    """Format of all waveforms in a store.

    Attributes:
        sample_rate: Sample rate in Hz.
        clip_samples: Length in samples.
        exact: Whether clips must have `channels` channels and equal length and rate. If not,
            channels are averaged, and clips are cut or padded with silence at the end.
        channels: Number of channels.
        copy_mono: Whether a mono clip is copied to all channels.
        source_rate: Sample rate of the clips in Hz, if exact: that of the first one; None until
            it is known.
        version: Version of the conversion to samples. It is part of the keys of runs, so it does
            not change with the layout of the store.
    """

    sample_rate: int
    clip_samples: int
    exact: bool
    channels: int
    copy_mono: bool
    source_rate: int | None = None
    version: int = _VERSION

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a waveform."""
        return (self.clip_samples, self.channels)[: 1 if self.channels == 1 else 2]

    @property
    def row_bytes(self) -> int:
        return self.clip_samples * self.channels * np.dtype(np.int16).itemsize

    def fits(self, other: "StoreFormat") -> bool:
        """Whether two formats are the same except for the rate of the clips."""
        return asdict(self) | {"source_rate": None} == asdict(other) | {"source_rate": None}


def read_format(store: Path) -> StoreFormat | None:
    """Reads the format of a store; None if it is missing, unreadable or of another layout."""
    try:
        content = read_json(store / FORMAT_FILE)
        if content.pop("layout") != _LAYOUT:
            return None
        store_format = StoreFormat(**content)
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return store_format if isinstance(store_format.source_rate, int | None) else None


def write_format(store: Path, store_format: StoreFormat) -> None:
    write_json(store / FORMAT_FILE, {"layout": _LAYOUT, **asdict(store_format)})


def decode_clip(path: Location, store_format: StoreFormat) -> np.ndarray:
    """Decodes a clip to a row of a store: int16 of the format's shape.

    Raises:
        InputError: The clip is missing, unreadable or empty, has NaN samples, has another number
            of channels, length or sample rate (if exact) or is shorter than a frame (if not).
    """
    if not store_format.exact:
        return _to_int16(_fitted(path, store_format)).reshape(store_format.shape)
    samples, rate = read_audio(path)
    if rate != store_format.source_rate:
        raise InputError(
            "clip has another sample rate",
            where=path,
            expected=f"{store_format.source_rate} Hz like the others "
            "(if all have changed: a new store)",
            received=f"{rate} Hz",
        )
    if samples.shape[1] == 1 and store_format.copy_mono:
        samples = np.repeat(samples, store_format.channels, axis=1)
    if samples.shape[1] != store_format.channels:
        mono = store_format.channels == 1
        raise InputError(
            "clip is not mono" if mono else "clip has another number of channels",
            where=path,
            expected="1 channel" if mono else f"{store_format.channels} channels",
            received=samples.shape[1],
        )
    if round(len(samples) * store_format.sample_rate / rate) != store_format.clip_samples:
        seconds = store_format.clip_samples / store_format.sample_rate
        raise InputError(
            "clip has another length",
            where=path,
            expected=f"{round(rate * seconds)} samples ({seconds:g} s at {rate} Hz)",
            received=f"{len(samples)} samples ({len(samples) / rate:g} s)",
        )
    return _to_int16(resample(samples, rate, store_format.sample_rate)).reshape(store_format.shape)


def _fitted(path: Location, store_format: StoreFormat) -> np.ndarray:
    """Converts a clip of any length, rate and channels to a mono row; reads no more than needed."""
    with open_audio(path) as recording:
        blocks = map(mono, recording.blocks())
        resampled = resample_blocks(blocks, recording.sample_rate, store_format.sample_rate)
        row = _first_samples(resampled, store_format.clip_samples)[:, 0]
    if len(row) < _SHORTEST_SECONDS * store_format.sample_rate:
        raise InputError(
            "clip is shorter than one frame",
            where=path,
            expected=f"at least {_SHORTEST_SECONDS * 1_000:g} ms",
            received=f"{len(row) / store_format.sample_rate * 1_000:.1f} ms",
        )
    return np.pad(row, (0, store_format.clip_samples - len(row)))


def _first_samples(blocks: Iterable[np.ndarray], samples: int) -> np.ndarray:
    """Takes the first samples of blocks, or all if there are fewer, and reads no further."""
    taken, length = [], 0
    for block in blocks:
        taken.append(block[: samples - length])
        length += len(taken[-1])
        if length == samples:
            break
    return np.concatenate(taken)


def _to_int16(samples: np.ndarray) -> np.ndarray:
    limits = -FULL_SCALE, FULL_SCALE - 1
    return np.clip(np.rint(samples * FULL_SCALE), *limits).astype(np.int16)
