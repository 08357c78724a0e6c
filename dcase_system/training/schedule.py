"""Learning-rate schedules, per optimiser step."""

import math

import keras
import tensorflow as tf

PUBLISHED_WARMUP_STEPS = 2_000
SHORT_RUN_WARMUP_FRACTION = 0.07


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


def warmup_steps(total_steps: int) -> int:
    """The published 2,000 steps, or 7 % of a run that is too short for them (under 4,000 steps)."""
    if total_steps >= 2 * PUBLISHED_WARMUP_STEPS:
        return PUBLISHED_WARMUP_STEPS
    return round(SHORT_RUN_WARMUP_FRACTION * total_steps)
