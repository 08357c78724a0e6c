"""How a supernet is trained: the sub-networks of a step, and the plan of a whole training."""

from dataclasses import dataclass

from dcase_system.core.errors import InputError
from dcase_system.distillation.alpha_divergence import AlphaDivergence
from dcase_system.supernet.sampling import Sampling
from dcase_system.training.batches import epochs_of
from dcase_system.training.fit_plan import FitPlan
from dcase_system.training.schedule import ScheduleName


@dataclass(frozen=True, kw_only=True)
class SamplingPlan:
    """The sub-networks of a training step; the defaults are the paper's (Lin et al., section 3.3).

    Attributes:
        samples: Number K of sub-networks per step; their gradients are averaged.
        sampling: `uniform` as published, or `sandwich`: the largest, the smallest and K - 2 others.
        in_place: Whether the others learn from the largest one's outputs in the same step.
        divergence: Divergence from the largest one's outputs that the others minimize; None for the
            loss of the training, with these outputs as its targets.
    """

    samples: int = 4
    sampling: Sampling = "uniform"
    in_place: bool = False
    divergence: AlphaDivergence | None = None

    def __post_init__(self):
        least = 2 if self.sampling == "sandwich" else 1
        if self.samples < least:
            raise does_not_fit(
                "samples", f"at least {least} for {self.sampling} sampling", self.samples
            )
        if self.in_place and self.sampling != "sandwich":
            raise does_not_fit(
                "in_place", "sandwich sampling, which includes the largest", self.sampling
            )
        if self.divergence is not None and not self.in_place:
            raise does_not_fit("divergence", "in_place, for which it is", "in_place off")


@dataclass(frozen=True, kw_only=True)
class SupernetPlan(SamplingPlan):
    """Hyper-parameters of a training; the defaults are the paper's (Lin et al., section 3.3).

    Attributes:
        steps: Total optimiser steps, rounded up to a whole number of epochs.
        largest_steps: Number of these steps that first train the largest sub-network alone.
        batch_size: Clips per batch.
        learning_rate: Learning rate of Adam.
        schedule: Schedule of the learning rate, see `FitPlan`.
        accumulation: Batches per optimiser step.
        masks: Number of masks along each axis, mel bands and frames.
        mask_mels: Largest mask in mel bands.
        mask_frames: Largest mask in frames.
        mixup: Whether clips and their labels are mixed in pairs, as for the teacher.
        seed: Random seed of the training.
    """

    steps: int
    largest_steps: int = 0
    batch_size: int = 64
    learning_rate: float = 1e-3
    schedule: ScheduleName = "constant"
    accumulation: int = 1
    masks: int = 2
    mask_mels: int = 8
    mask_frames: int = 64
    mixup: bool = False
    seed: int = 0

    def __post_init__(self):
        super().__post_init__()
        if self.steps < 1:
            raise does_not_fit("steps", "at least 1", self.steps)
        if not 0 <= self.largest_steps <= self.steps:
            raise does_not_fit("largest_steps", f"0 to {self.steps}", self.largest_steps)

    def fit_plan(self, clips: int) -> FitPlan:
        """Returns what `training.fit` does for this plan.

        Its epochs cover all steps: 289 for 100,000 steps on AudioSet's 22,160 clips.

        Args:
            clips: Number of training clips.
        """
        return FitPlan(
            epochs=epochs_of(self.steps * self.accumulation, clips, self.batch_size),
            batch_size=self.batch_size,
            accumulation=self.accumulation,
            learning_rate=self.learning_rate,
            weight_decay=0.0,
            schedule=self.schedule,
            seed=self.seed,
        )


def does_not_fit(what: str, expected: object, received: object) -> InputError:
    return InputError(
        f"{what} does not fit", where="supernet training", expected=expected, received=received
    )
