"""A round of pruning, in numbers: how far, by which measure, on which schedule."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import keras
import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.models.graph.read import channel_groups
from dcase_system.pruning import schedules
from dcase_system.pruning.choose import (
    Kept,
    global_kept,
    global_share,
    smallest_uniform_ratio,
    uniform_kept,
)
from dcase_system.pruning.importance import Importance

# The masks have their final ratio for the last quarter of a round, to train with what will stay.
_PRUNING_PART = 0.75
_SCHEDULES = {"agp": schedules.agp, "linear": schedules.linear}


@dataclass(frozen=True, kw_only=True)
class PruningRound:
    """Channels are hidden more and more while the network trains, then removed; then it trains on.

    Attributes:
        ratio: share of each group's channels that goes; or None, for as few as meet the limits.
        max_macs: limit by the official rule, without a ratio.
        max_bytes: limit of the trainable parameters at float16, without a ratio.
        ratios: `uniform`, one for all groups; or `global`, by one ranking of all channels, which
            takes limits.
        schedule: `agp` (automated gradual pruning) or `linear`.
        importance: `l1`, `l2`, `fpgm` or `taylor`: what goes first.
        updates: how often the masks are chosen anew.
        epochs: with masks.
        tuning_epochs: of the slim network.
    """

    ratio: float | None = None
    max_macs: int | None = None
    max_bytes: int | None = None
    ratios: Literal["uniform", "global"] = "uniform"
    schedule: Literal["agp", "linear"] = "agp"
    importance: Literal["l1", "l2", "fpgm", "taylor"] = "l2"
    updates: int = 10
    epochs: int
    tuning_epochs: int

    def __post_init__(self):
        limited = self.max_macs is not None or self.max_bytes is not None
        if limited == (self.ratio is not None) or (self.ratios == "global" and not limited):
            raise InputError(
                "pruning round says its end not at all or twice",
                where="pruning round",
                expected="a ratio, or max_macs or max_bytes (global ratios need these)",
                received=f"ratio {self.ratio}, {self.max_macs} MACs, {self.max_bytes} bytes",
            )
        if self.ratio is not None and not 0.0 <= self.ratio < 1.0:
            raise InputError(
                "pruning ratio out of range",
                where="pruning round",
                expected="[0, 1)",
                received=self.ratio,
            )


@dataclass(frozen=True, kw_only=True)
class MagnitudeRound:
    """TF-MOT's own pruning: the smallest weights become zero, the network keeps its shape.

    Attributes:
        sparsity: share of the weights of each convolution and dense kernel that goes.
        schedule: `agp`, `linear`, `constant` from the first step on, or `held`: the weights that
            are zero already stay zero and no other is chosen.
        pattern: `unstructured`, or `2:4`: two of four neighbours in a kernel, a sparsity of 0.5
            from the first step on.
        updates: how often weights are chosen anew.
        epochs: of the training in which weights become zero.
        tuning_epochs: of the training after it, in which they stay zero; 0 for none.
    """

    sparsity: float
    schedule: Literal["agp", "linear", "constant", "held"] = "agp"
    pattern: Literal["unstructured", "2:4"] = "unstructured"
    updates: int = 20
    epochs: int
    tuning_epochs: int = 0

    def __post_init__(self):
        fixed = self.sparsity == 0.5 and self.schedule in ("constant", "held")
        if not 0.0 <= self.sparsity < 1.0 or (self.pattern == "2:4" and not fixed):
            raise InputError(
                "sparsity out of range",
                where="magnitude pruning",
                expected="[0, 1), and 0.5 on a constant schedule for the pattern 2:4",
                received=f"{self.sparsity} ({self.schedule}, {self.pattern})",
            )

    @property
    def tuning(self) -> "MagnitudeRound":
        """The training after this one: what is zero stays zero."""
        return replace(self, schedule="held", epochs=self.tuning_epochs, tuning_epochs=0)


Round = PruningRound | MagnitudeRound


class Target:
    """Where a round ends for one network, and which channels stay on the way.

    Args:
        pruning: the round.
        fixed: the network at a fixed input shape, as `registry.build_fixed` gives it.

    Attributes:
        ratio: at the end: the share of each group's channels that goes; with global ratios the
            share of the network's cost.

    Raises:
        InputError: no ratio meets the limits, or the network is not understood.
    """

    def __init__(self, pruning: PruningRound, fixed: keras.Model):
        self._max_macs, self._max_bytes = pruning.max_macs, pruning.max_bytes
        self._fixed = fixed if pruning.ratios == "global" else None
        if pruning.ratio is not None:
            self.ratio = pruning.ratio
        else:
            find = global_share if pruning.ratios == "global" else smallest_uniform_ratio
            # Up, at the digits that TF-MOT's single precision keeps: a channel less would be over.
            ratio = find(fixed, max_macs=self._max_macs, max_bytes=self._max_bytes)
            self.ratio = math.ceil(ratio * 1e7) / 1e7
        if self._fixed is not None and self.ratio:
            # Whether the limits can be met at all does not depend on the scores.
            alike = {group.name: np.ones(group.size) for group in channel_groups(fixed)}
            self.kept(alike, self.ratio)

    def kept(self, scores: Importance, ratio: float) -> Kept:
        """The channels that stay of each group at a ratio between 0 and the final one."""
        if self._fixed is None:
            return uniform_kept(scores, ratio)
        return global_kept(
            self._fixed,
            scores,
            max_macs=self._max_macs,
            max_bytes=self._max_bytes,
            progress=ratio / self.ratio,
        )


def step_ratios(schedule: str, final: float, updates: int, steps: int):
    """Step to (whether to update, ratio): TF-MOT's schedule over a training of so many steps.

    However short the training, its last update is within it: the ratio has to be reached.
    """
    # TF-MOT's wrappers number the first batch 1.
    if schedule == "constant":
        return schedules.one_shot(final, interval=max(1, steps // updates), begin=1)
    if schedule == "held":  # of weights that are zero already, the first choice takes just these
        return schedules.one_shot(final, interval=1, begin=1, end=1)
    updates = min(updates, max(1, int(_PRUNING_PART * steps)))
    interval = max(1, int(_PRUNING_PART * steps / updates))
    return _SCHEDULES[schedule](final, updates=updates, interval=interval)
