"""Learning-rate schedules, per optimiser step."""

from dataclasses import dataclass
from typing import Literal

import keras
import tensorflow as tf

ScheduleName = Literal["warmup_cosine", "exponential_linear", "constant"]

PUBLISHED_WARMUP_STEPS = 2_000
SHORT_RUN_WARMUP_FRACTION = 0.07


@dataclass(frozen=True)
class Steps:
    """Multiplies the learning rate by `factor` after every `epochs` epochs."""

    factor: float
    epochs: int


def warmup_cosine(
    peak: float, warmup_steps: int, total_steps: int
) -> keras.optimizers.schedules.CosineDecay:
    """Linear warm-up from 0 to the peak, then half a cosine down to 0 at the last step.

    The schedule of the 2024 baseline (`get_cosine_schedule_with_warmup` of transformers).

    Args:
        peak: Peak learning rate.
        warmup_steps: Optimiser steps of the warm-up.
        total_steps: Optimiser steps of the whole training.
    """
    falling_steps = max(1, total_steps - warmup_steps)
    if warmup_steps == 0:
        return keras.optimizers.schedules.CosineDecay(peak, falling_steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, falling_steps, warmup_target=peak, warmup_steps=warmup_steps
    )


@keras.saving.register_keras_serializable("dcase_system")
class ExponentialLinear(keras.optimizers.schedules.LearningRateSchedule):
    """PaSST's fine-tuning schedule: exponential rise, plateau, linear fall; constant in an epoch.

    Epoch e < `warmup_epochs` has exp(-5 (1 - max(e, 0.5) / warmup_epochs)^2) of the peak; from
    epoch `fall_start` on the rate falls linearly over `fall_epochs` epochs to `last_fraction`,
    where it stays. Source: `exp_warmup_linear_down` of fschmid56/cpjku_dcase23,
    helpers/lr_schedule.py; the defaults are those of its run_passt_training.py.

    Args:
        peak: Peak learning rate.
        steps_per_epoch: Optimiser steps per epoch.
        warmup_epochs: Epochs of the rise.
        fall_start: Epoch in which the fall begins.
        fall_epochs: Epochs of the fall.
        last_fraction: Fraction of the peak after the fall.
    """

    def __init__(
        self,
        peak: float,
        steps_per_epoch: int,
        warmup_epochs: int = 3,
        fall_start: int = 3,
        fall_epochs: int = 10,
        last_fraction: float = 0.01,
    ):
        super().__init__()
        self.peak, self.steps_per_epoch, self.warmup_epochs = peak, steps_per_epoch, warmup_epochs
        self.fall_start, self.fall_epochs = fall_start, fall_epochs
        self.last_fraction = last_fraction

    def __call__(self, step):
        epoch = tf.cast(tf.cast(step, tf.int64) // self.steps_per_epoch, tf.float32)
        rise = tf.exp(-5.0 * (1.0 - tf.maximum(epoch, 0.5) / self.warmup_epochs) ** 2)
        fallen = tf.clip_by_value((epoch - self.fall_start) / self.fall_epochs, 0.0, 1.0)
        fall = 1.0 - (1.0 - self.last_fraction) * fallen
        return self.peak * tf.where(epoch < self.warmup_epochs, rise, 1.0) * fall

    def get_config(self):
        return {
            "peak": self.peak,
            "steps_per_epoch": self.steps_per_epoch,
            "warmup_epochs": self.warmup_epochs,
            "fall_start": self.fall_start,
            "fall_epochs": self.fall_epochs,
            "last_fraction": self.last_fraction,
        }


def warmup_steps(total_steps: int) -> int:
    """The published 2,000 warm-up steps, or 7 % of a run that is too short (under 4,000 steps)."""
    if total_steps >= 2 * PUBLISHED_WARMUP_STEPS:
        return PUBLISHED_WARMUP_STEPS
    return round(SHORT_RUN_WARMUP_FRACTION * total_steps)
