"""Scores sub-networks with inherited weights."""

import math
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcase_system.audio.store import Waveforms
from dcase_system.supernet.calibration import SubNetworks, kept_statistics
from dcase_system.training.multilabel import mean_average_precision


@dataclass(frozen=True)
class FeatureBatches:
    """Features of clips, batch by batch, recomputed in every iteration.

    Attributes:
        waveforms: Waveforms of the clips.
        front_end: Layer from waveforms to features.
        batch_size: Clips per batch; the last batch may be smaller.
    """

    waveforms: Waveforms
    front_end: keras.layers.Layer
    batch_size: int = 64

    def __iter__(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.waveforms), self.batch_size):
            stop = min(start + self.batch_size, len(self.waveforms))
            yield np.asarray(self.front_end(self.waveforms.gather(np.arange(start, stop))))

    def mapped(self, folder: Path) -> tuple[np.ndarray, ...]:
        """Computes all batches once, for a search that iterates over them many times.

        They are mapped from an unnamed file in `folder`, which is freed with them, so that memory
        does not grow with the number of clips.
        """
        with tempfile.TemporaryFile(dir=folder) as file:
            shapes = []
            for batch in self:
                shapes.append(batch.shape)
                file.write(np.ascontiguousarray(batch, np.float32).tobytes())
            file.flush()
            values = np.memmap(file, np.float32, "r")
        ends = np.cumsum([math.prod(shape) for shape in shapes])
        parts = np.split(values, ends[:-1])
        return tuple(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))


@dataclass(frozen=True)
class SubNetworkScorer:
    """Callable that computes a sub-network's mean average precision from its spec.

    Attributes:
        sub_networks: Sub-networks of the supernet.
        calibration: Features of training clips for recalibration; None scores with the moving
            statistics as training left them.
        clips: Features of the clips to score.
        labels: Labels (clips, classes).
    """

    sub_networks: SubNetworks
    calibration: Iterable[np.ndarray] | None
    clips: Iterable[np.ndarray]
    labels: np.ndarray

    def __call__(self, spec: Any) -> float:
        with kept_statistics(self.sub_networks.supernet):
            if self.calibration is not None:
                self.sub_networks.recalibrate(spec, self.calibration)
            logits = self.sub_networks.logits(spec, self.clips)
        return mean_average_precision(logits, self.labels)
