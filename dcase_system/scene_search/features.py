"""Segments of scalograms, computed once for all candidates and normalised when read."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from dcase_system.audio.scalogram import Scalogram, cut_segments
from dcase_system.audio.specs import ScalogramSpec
from dcase_system.audio.store import Waveforms
from dcase_system.core.arrays import check_mapped
from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint, locked
from dcase_system.core.progress import progress_bar
from dcase_system.runs import stages

_LOG = logging.getLogger(__name__)
_FILE = "segments.npy"
_CLIPS_A_BATCH = 8


# Arrays have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and scale of each band, which normalise features to [-1, 1].

    Attributes:
        mean: Means (bands, channels).
        scale: Scales (bands, channels), the larger of mean - minimum and maximum - mean.
    """

    mean: np.ndarray
    scale: np.ndarray

    def normalised(self, features: np.ndarray) -> np.ndarray:
        """Normalises features (..., bands, frames, channels)."""
        return (features - self.mean[:, None]) / self.scale[:, None]


@dataclass(frozen=True, eq=False)
class Segments:
    """Segments of selected clips, clip by clip, for training or prediction.

    Attributes:
        values: Features (all clips, segments, bands, frames, channels), not normalised.
        clips: Rows of the selected clips.
        statistics: Statistics of the training clips.
    """

    values: np.ndarray
    clips: np.ndarray
    statistics: Statistics

    @property
    def per_clip(self) -> int:
        return self.values.shape[1]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a segment: (bands, frames, channels)."""
        return self.values.shape[2:]

    def __len__(self) -> int:
        return len(self.clips) * self.per_clip

    def gather(self, positions: np.ndarray) -> np.ndarray:
        """Returns normalised features: float32 (positions, bands, frames, channels)."""
        check_mapped(self.values)
        clip, segment = np.divmod(positions, self.per_clip)
        return self.statistics.normalised(self.values[self.clips[clip], segment])


@dataclass(frozen=True, eq=False)
class Scalograms:
    """Features of the clips of a list.

    Attributes:
        values: Memory map, float32 (clips, segments, bands, frames, channels).
        key: Fingerprint of the clips and the front end.
    """

    values: np.ndarray
    key: str

    @cached_property
    def every_clip(self) -> np.ndarray:
        return np.arange(len(self.values))

    def statistics(self, clips: np.ndarray | None = None) -> Statistics:
        """Computes the statistics of these clips, by default of all."""
        rows = self.every_clip if clips is None else clips
        bands, _, channels = self.values.shape[2:]
        total = np.zeros((bands, channels))
        low, high = np.full((2, bands, channels), np.inf)
        high = -high
        check_mapped(self.values)
        for row in rows:
            of_clip = self.values[row]  # (segments, bands, frames, channels)
            total += of_clip.mean(axis=(0, 2), dtype=np.float64)
            low = np.minimum(low, of_clip.min(axis=(0, 2)))
            high = np.maximum(high, of_clip.max(axis=(0, 2)))
        mean = total / len(rows)
        scale = np.maximum(mean - low, high - mean)
        # A constant band (the difference of two equal ears) stays 0.
        scale = np.where(scale > 0, scale, 1.0)
        return Statistics(mean.astype(np.float32), scale.astype(np.float32))

    def segments(self, statistics: Statistics, clips: np.ndarray | None = None) -> Segments:
        """Returns the segments of these clips, by default of all."""
        return Segments(self.values, self.every_clip if clips is None else clips, statistics)


def scalograms(
    folder: Path, waveforms: Waveforms, filenames: Sequence[str], spec: ScalogramSpec
) -> Scalograms:
    """Computes the segments of clips, unless `folder` already holds them.

    Args:
        folder: Folder of all stored features; each set gets a subfolder.
        waveforms: Waveforms with two channels.
        filenames: File names of the clips, for the key.
        spec: Spec of the front end.

    Raises:
        InputError: The clips do not have two channels, or are shorter than a segment.
    """
    if len(waveforms.shape) != 2 or waveforms.shape[1] != 2:
        raise InputError(
            "clips have the wrong number of channels",
            where="scalogram",
            expected=2,
            received=waveforms.shape[1] if len(waveforms.shape) == 2 else 1,
        )
    count = spec.segments(waveforms.shape[0])
    inputs = {"clips": waveforms.key, "files": fingerprint(list(filenames)), "spec": asdict(spec)}
    target = folder / f"scalogram-{fingerprint(inputs)[:16]}"

    def work(temporary: Path) -> None:
        layer = Scalogram(spec)
        shape = (len(waveforms), count, spec.bands, spec.segment_frames, 2)
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        # Not through a memory map: writing to one on a full disk kills the process.
        with (
            (temporary / _FILE).open("wb") as stored,
            progress_bar("scalograms", "clip") as show,
        ):
            np.lib.format.write_array_header_1_0(stored, header)
            for start in range(0, len(waveforms), _CLIPS_A_BATCH):
                rows = np.arange(start, min(start + _CLIPS_A_BATCH, len(waveforms)))
                features = np.asarray(layer(waveforms.gather(rows)))
                stored.write(np.asarray(cut_segments(features, spec), "<f4").tobytes())
                show(int(rows[-1]) + 1, len(waveforms))

    with locked(
        folder / f"{target.name}.lock",
        lambda: _LOG.info("another process is writing %s: waiting for it", target),
    ):
        key = stages.run_stage(target, inputs, work)
    return Scalograms(np.lib.format.open_memmap(target / _FILE, "r"), key)
