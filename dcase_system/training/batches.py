"""Batches of waveforms and targets for Keras's fit and predict."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from dcase_system.core.errors import InputError


class Examples(Protocol):
    """What a training goes through: waveforms of a store, or features that were computed before."""

    def __len__(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example."""

    def gather(self, positions: np.ndarray) -> np.ndarray:
        """(positions, *shape) float32."""


class Watched:
    """Examples whose faults get through TensorFlow, which makes errors of its own of them."""

    def __init__(self, examples: Examples):
        self._examples = examples
        self._faults: list[InputError | OSError] = []

    def __len__(self) -> int:
        return len(self._examples)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example."""
        return self._examples.shape

    def gather(self, positions: np.ndarray) -> np.ndarray:
        """(positions, *shape) float32."""
        try:
            return self._examples.gather(positions)
        except (InputError, OSError) as error:
            self._faults.append(error)
            raise

    @contextmanager
    def faults_raised(self) -> Iterator[None]:
        """Raises what the examples have raised inside TensorFlow.

        Raises:
            InputError: an example cannot be read.
            OSError: an example cannot be read.
        """
        try:
            yield
        except tf.errors.OpError as error:
            if self._faults:
                raise self._faults[0] from error
            raise


# Changes a batch of waveforms: of (waveforms, their positions in the list, generator of the draws).
Augmentation = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def epoch_steps(clips: int, batch_size: int) -> int:
    """Batches of an epoch; the last one may hold fewer clips."""
    return math.ceil(clips / batch_size)


def training_batches(
    waveforms: Examples,
    targets: np.ndarray,
    batch_size: int,
    *,
    seed: int,
    first_epoch: int = 0,
    augmentation: Augmentation | None = None,
) -> tf.data.Dataset:
    """An endless stream of shuffled epochs.

    The order and the draws of an epoch depend on the seed and the epoch's number alone, so a
    resumed training sees the batches that an uninterrupted one would have seen.

    Args:
        waveforms: clips to train on.
        targets: (clips, ...) what the loss takes, in the order of the clips.
        batch_size: clips a batch; the last one of an epoch holds the rest.
        seed: of the shuffling.
        first_epoch: number of the first epoch that is drawn.
        augmentation: of the waveforms, for what depends on the clip (layers know no clips).
    """

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        epoch = first_epoch
        while True:
            generator = np.random.default_rng([seed, epoch])
            order = generator.permutation(len(waveforms))
            for start in range(0, len(order), batch_size):
                positions = order[start : start + batch_size]
                batch = waveforms.gather(positions)
                if augmentation is not None:
                    batch = augmentation(batch, positions, generator)
                yield batch, targets[positions]
            epoch += 1

    signature = (
        tf.TensorSpec((None, *waveforms.shape), tf.float32),
        tf.TensorSpec((None, *targets.shape[1:]), tf.float32),
    )
    return _stream(batches, signature)


def prediction_batches(waveforms: Examples, batch_size: int) -> tf.data.Dataset:
    """Waveforms in order, once."""

    def batches() -> Iterator[np.ndarray]:
        for start in range(0, len(waveforms), batch_size):
            yield waveforms.gather(np.arange(start, min(start + batch_size, len(waveforms))))

    signature = tf.TensorSpec((None, *waveforms.shape), tf.float32)
    return _stream(batches, signature)


def _stream(batches: Callable[[], Iterator], signature: Any) -> tf.data.Dataset:
    """What a generator yields, two batches ahead of whoever takes them."""
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)
    # There is nothing to tune, and an iterator that is tuned may take half a minute to be released:
    # it waits for the thread that tunes it, which is asleep.
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
