"""Scores sub-networks with inherited weights."""

import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
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


# Score of logits, batch by batch, given the labels of their clips; higher is better.
Measure = Callable[[Iterable[np.ndarray], np.ndarray], float]


def batched_average_precision(batches: Iterable[np.ndarray], labels: np.ndarray) -> float:
    """Mean average precision, see `mean_average_precision`, with one class in memory at a time.

    An average precision needs the order of all clips, so logits wait in an unnamed file, by class.

    Args:
        batches: Logits (batch, classes) in the order of the clips.
        labels: Labels (clips, classes).
    """
    with tempfile.TemporaryFile() as file:
        values = np.memmap(file, np.float32, "w+", shape=labels.shape, order="F")
        start = 0
        for batch in batches:
            values[start : start + len(batch)] = batch
            start += len(batch)
        occurs = np.flatnonzero((labels != 0).any(axis=0))
        return float(
            np.mean(
                [
                    mean_average_precision(values[:, [one]], labels[:, [one]])
                    for one in (occurs if occurs.size else [0])
                ]
            )
        )


def batched_macro_accuracy(batches: Iterable[np.ndarray], labels: np.ndarray) -> float:
    """Accuracy in percent, averaged over the classes that occur, in one pass.

    Args:
        batches: Logits (batch, classes) in the order of the clips.
        labels: Class indices (clips,).
    """
    clips = np.bincount(labels)
    hits, start = np.zeros(len(clips)), 0
    for batch in batches:
        of_batch = labels[start : start + len(batch)]
        correct = batch.argmax(axis=-1) == of_batch
        hits += np.bincount(of_batch, weights=correct, minlength=len(clips))
        start += len(batch)
    return 100 * float(np.mean(hits[clips > 0] / clips[clips > 0]))


@dataclass(frozen=True)
class SubNetworkScorer:
    """Callable that scores a sub-network, given by its spec.

    Attributes:
        sub_networks: Sub-networks of the supernet.
        calibration: Features of training clips for recalibration; None scores with the moving
            statistics as training left them.
        clips: Features of the clips to score.
        labels: Labels of these clips, as the measure takes them.
        measure: Score of logits and labels.
    """

    sub_networks: SubNetworks
    calibration: Iterable[np.ndarray] | None
    clips: Iterable[np.ndarray]
    labels: np.ndarray
    measure: Measure = batched_average_precision

    def __call__(self, spec: Any) -> float:
        with kept_statistics(self.sub_networks.supernet):
            if self.calibration is not None:
                self.sub_networks.recalibrate(spec, self.calibration)
            logits = self.sub_networks.logit_batches(spec, self.clips)
            return self.measure(logits, self.labels)
