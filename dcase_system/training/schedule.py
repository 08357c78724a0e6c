"""Learning-rate schedules, per optimiser step."""

import math
from dataclasses import dataclass
from typing import Literal

import keras
import tensorflow as tf

ScheduleName = Literal["warmup_cosine", "exponential_linear", "constant"]

PUBLISHED_WARMUP_STEPS = 2_000
SHORT_RUN_WARMUP_FRACTION = 0.07


@dataclass(frozen=True)
class Steps:
    """A rate that is multiplied by `factor` after every `epochs` epochs."""

    factor: float
    epochs: int


@keras.saving.register_keras_serializable("dcase_system")
class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """Linear from 0 to the peak over the warm-up, then half a cosine down to 0 at the last step.

    The schedule of the 2024 baseline (`get_cosine_schedule_with_warmup` of transformers).

    Args:
        peak: highest learning rate.
        warmup_steps: optimiser steps of the rise.
        total_steps: optimiser steps of the whole training.
    """

    def __init__(self, peak: float, warmup_steps: int, total_steps: int):
        super().__init__()
        self.peak, self.warmup_steps, self.total_steps = peak, warmup_steps, total_steps

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        rise = step / max(1, self.warmup_steps)
        progress = (step - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps)
        fall = 0.5 * (1.0 + tf.cos(math.pi * tf.minimum(progress, 1.0)))
        return self.peak * tf.where(step < self.warmup_steps, rise, fall)

    def get_config(self):
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
        }


@keras.saving.register_keras_serializable("dcase_system")
class ExponentialLinear(keras.optimizers.schedules.LearningRateSchedule):
    """Exponential rise, plateau and linear fall, constant within an epoch: PaSST's fine-tuning.

    Epoch e < `warmup_epochs` has exp(-5 (1 - max(e, 0.5) / warmup_epochs)^2) of the peak; from
    epoch `fall_start` on the rate falls in a line, in `fall_epochs` epochs, to `last_fraction`,
    where it stays. Source: `exp_warmup_linear_down` of fschmid56/cpjku_dcase23,
    helpers/lr_schedule.py; the defaults are those of its run_passt_training.py.

    Args:
        peak: highest learning rate.
        steps_per_epoch: optimiser steps of an epoch.
        warmup_epochs: of the rise.
        fall_start: epoch in which the fall begins.
        fall_epochs: of the fall.
        last_fraction: of the peak, after the fall.
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


@keras.saving.register_keras_serializable("dcase_system")
class StepDecay(keras.optimizers.schedules.LearningRateSchedule):
    """The peak times `factor` to the power of how often `period` steps of the optimiser are done.

    Args:
        peak: highest learning rate.
        factor: of each fall.
        period: optimiser steps from fall to fall.
    """

    def __init__(self, peak: float, factor: float, period: int):
        super().__init__()
        self.peak, self.factor, self.period = peak, factor, period

    def __call__(self, step):
        falls = tf.cast(tf.cast(step, tf.int64) // self.period, tf.float32)
        return self.peak * self.factor**falls

    def get_config(self):
        return {"peak": self.peak, "factor": self.factor, "period": self.period}


def warmup_steps(total_steps: int) -> int:
    """The published 2,000 steps, or 7 % of a run that is too short for them (under 4,000 steps)."""
    if total_steps >= 2 * PUBLISHED_WARMUP_STEPS:
        return PUBLISHED_WARMUP_STEPS
    return round(SHORT_RUN_WARMUP_FRACTION * total_steps)
