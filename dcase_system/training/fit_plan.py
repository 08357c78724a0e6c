"""What one training is, in numbers: its length, its batches and its optimizer."""

from dataclasses import dataclass

import keras

from dcase_system.training.optimizers import Adam
from dcase_system.training.schedule import (
    ExponentialLinear,
    ScheduleName,
    Steps,
    warmup_cosine,
    warmup_steps,
)


@dataclass(frozen=True, kw_only=True)
class FitPlan:
    """Hyper-parameters of `training.fit`; the defaults are those of the 2024 baseline.

    Attributes:
        epochs: Number of passes over the clips.
        batch_size: Clips in memory at once; they share their batch-norm statistics. The last batch
            of an epoch takes the remainder.
        accumulation: Batches whose gradients are averaged into one optimizer step; the schedule and
            the epochs count batches.
        learning_rate: Peak learning rate of Adam.
        weight_decay: Decoupled weight decay, applied to all parameters.
        l2: Multiple of each parameter that is added to its gradient.
        schedule: Learning-rate schedule: `warmup_cosine` per step, `exponential_linear` per epoch
            with PaSST's own constants, `constant`, or a stepwise decay.
        warmup_steps: Warm-up steps of `warmup_cosine`; None takes the published 2,000, or 7 % of a
            run under 4,000 steps.
        seed: Seed for everything random; in `training.fit` itself, for the order of the clips.
    """

    epochs: int = 150
    batch_size: int = 256
    accumulation: int = 1
    learning_rate: float = 0.005
    weight_decay: float = 1e-4
    l2: float = 0.0
    schedule: ScheduleName | Steps = "warmup_cosine"
    warmup_steps: int | None = None
    seed: int = 0


def optimizer_of(plan: FitPlan, steps_per_epoch: int, ema_decay: float = 0.0) -> Adam:
    """Builds the optimizer of a plan, with its learning-rate schedule.

    Args:
        plan: Hyper-parameters.
        steps_per_epoch: Batches in an epoch.
        ema_decay: See `training.averaging`; 0 for no average.
    """
    peak, schedule = plan.learning_rate, plan.schedule
    rate: float | keras.optimizers.schedules.LearningRateSchedule
    if isinstance(schedule, Steps):
        rate = keras.optimizers.schedules.ExponentialDecay(
            peak, schedule.epochs * steps_per_epoch, schedule.factor, staircase=True
        )
    elif schedule == "constant":
        rate = peak
    elif schedule == "exponential_linear":
        rate = ExponentialLinear(peak, steps_per_epoch)
    else:
        steps = plan.epochs * steps_per_epoch
        rise = warmup_steps(steps) if plan.warmup_steps is None else plan.warmup_steps
        rate = warmup_cosine(peak, rise, steps)
    return Adam(
        rate,
        weight_decay=plan.weight_decay,
        l2=plan.l2,
        epsilon=1e-8,
        use_ema=ema_decay > 0,
        ema_momentum=ema_decay,
        gradient_accumulation_steps=plan.accumulation if plan.accumulation > 1 else None,
    )
