"""Pruning during training."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from dcase_system.pruning.masks import set_masks
from dcase_system.training.optimizers import batches_seen


class PruneChannels(keras.callbacks.Callback):
    """Recomputes the channel masks at every update of a schedule.

    Steps are batches the optimiser has processed; step 0 is before training. A resumed training
    gets its masks from the checkpoint and continues at the optimiser's step, so this callback must
    come before the one that saves.

    Args:
        masked: Network from `masked_model`, which may be part of the trained model.
        kept: Function from a ratio to the positions kept in each group, based on the stored
            weights, which masks do not change.
        schedule: Function from a step to (whether to update, ratio), such as those of `schedules`;
            a ratio of 0 does nothing.
        on_update: Called with (step, ratio) after the masks have changed.
    """

    def __init__(
        self,
        masked: keras.Model,
        kept: Callable[[float], Mapping[str, np.ndarray]],
        schedule: Callable[[int], tuple[Any, Any]],
        on_update: Callable[[int, float], None] | None = None,
    ):
        super().__init__()
        self._masked, self._kept, self._schedule = masked, kept, schedule
        self._on_update = on_update

    def on_train_begin(self, logs=None):
        self._done = self._step()
        if self._done == 0:
            self._update(0)

    def on_train_batch_end(self, batch, logs=None):
        # With several steps per execution an update may fall between two calls.
        now = self._step()
        due = [step for step in range(self._done + 1, now + 1) if bool(self._schedule(step)[0])]
        self._done = now
        if due:
            self._update(due[-1])

    def _update(self, step: int) -> None:
        due, ratio = self._schedule(step)
        # TF-MOT computes in single precision; a ratio meant as 0.51 must be 0.51 here, because the
        # number of channels is rounded down.
        ratio = round(float(ratio), 7)
        if not bool(due) or ratio == 0:
            return
        set_masks(self._masked, self._kept(ratio))
        if self._on_update is not None:
            self._on_update(step, ratio)

    def _step(self) -> int:
        return batches_seen(self.model.optimizer)
