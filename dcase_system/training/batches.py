"""Batches of waveforms and targets for Keras's fit and predict."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from dcase_system.core.errors import InputError


class Examples(Protocol):
    """A source of training examples: waveforms from a store, or precomputed features."""

    def __len__(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""

    def gather(self, positions: np.ndarray) -> np.ndarray:
        """Returns the examples at `positions`: (positions, *shape) float32."""


class ErrorForwarding:
    """Wraps examples so that their own errors surface, not the ones TensorFlow makes of them."""

    def __init__(self, examples: Examples):
        self._examples = examples
        self._faults: list[InputError | OSError] = []

    def __len__(self) -> int:
        return len(self._examples)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self._examples.shape

    def gather(self, positions: np.ndarray) -> np.ndarray:
        """Returns the examples at `positions`: (positions, *shape) float32."""
        try:
            return self._examples.gather(positions)
        except (InputError, OSError) as error:
            self._faults.append(error)
            raise

    @contextmanager
    def faults_raised(self) -> Iterator[None]:
        """Re-raises the original error if reading an example failed inside TensorFlow.

        Raises:
            InputError: An example cannot be read.
            OSError: An example cannot be read.
        """
        try:
            yield
        except tf.errors.OpError as error:
            if self._faults:
                raise self._faults[0] from error
            raise


# Augments a batch of waveforms: (waveforms, their positions in the list, random generator).
Augmentation = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def epoch_steps(clips: int, batch_size: int) -> int:
    """Number of batches in an epoch; the last one may be smaller."""
    return math.ceil(clips / batch_size)


def epochs_of(steps: int, clips: int, batch_size: int) -> int:
    """Fewest epochs that hold a number of steps (batches)."""
    return math.ceil(steps / epoch_steps(clips, batch_size))


def training_batches(
    waveforms: Examples,
    targets: np.ndarray,
    batch_size: int,
    *,
    seed: int,
    first_epoch: int = 0,
    augmentation: Augmentation | None = None,
    shares: np.ndarray | None = None,
) -> tf.data.Dataset:
    """An endless stream of batches, shuffled each epoch.

    The order and the random draws of an epoch depend only on the seed and the epoch's number, so a
    resumed training sees the same batches as an uninterrupted one.

    Args:
        waveforms: Clips to train on.
        targets: (clips, ...) targets for the loss, in the order of the clips.
        batch_size: Clips per batch; the last batch of an epoch holds the remainder.
        seed: Seed for shuffling and augmentation.
        first_epoch: Number of the first epoch to generate.
        augmentation: Waveform augmentation that depends on the clip, which a layer cannot see.
        shares: (clips,) probabilities with which clips are drawn, with replacement; by default an
            epoch has each clip once.
    """

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        epoch = first_epoch
        while True:
            generator = np.random.default_rng([seed, epoch])
            if shares is None:
                order = generator.permutation(len(waveforms))
            else:
                order = generator.choice(len(waveforms), len(waveforms), p=shares)
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
    """Batches of waveforms in order, one pass."""

    def batches() -> Iterator[np.ndarray]:
        for start in range(0, len(waveforms), batch_size):
            yield waveforms.gather(np.arange(start, min(start + batch_size, len(waveforms))))

    signature = tf.TensorSpec((None, *waveforms.shape), tf.float32)
    return _stream(batches, signature)


def _stream(batches: Callable[[], Iterator], signature: Any) -> tf.data.Dataset:
    """Dataset from a generator, prefetching two batches."""
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)
    # There is nothing to tune, and releasing an autotuned iterator can take half a minute:
    # it waits for the tuning thread, which is asleep.
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
