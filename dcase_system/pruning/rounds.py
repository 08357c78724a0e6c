"""Settings of a pruning round: how far, by which importance, on which schedule."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import keras
import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.models.graph.read import channel_groups, read_graph
from dcase_system.pruning import schedules
from dcase_system.pruning.choose import (
    Kept,
    global_kept,
    global_share,
    smallest_uniform_ratio,
    uniform_kept,
)
from dcase_system.pruning.importance import Importance

# Masks keep their final ratio for the last quarter of a round, to train with what will stay.
_PRUNING_PART = 0.75
_SCHEDULES = {"agp": schedules.agp, "linear": schedules.linear}


@dataclass(frozen=True, kw_only=True)
class PruningRound:
    """Hides more and more channels during training, removes them, then fine-tunes.

    Attributes:
        ratio: Share of each group's channels to remove, or None for as few as meet the limits.
        max_macs: Limit on MACs by the official rule, instead of a ratio.
        max_bytes: Limit on the size of the trainable parameters at float16, instead of a ratio.
        ratios: `uniform` for one ratio for all groups, or `global` for one ranking of all channels,
            which requires limits.
        schedule: `agp` (automated gradual pruning) or `linear`.
        importance: `l1`, `l2`, `fpgm` or `taylor`; decides which channels are removed first.
        updates: Number of times the masks are recomputed.
        epochs: Epochs with masks.
        tuning_epochs: Epochs of fine-tuning the slim network.
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
                "pruning round needs either a ratio or limits",
                where="pruning round",
                expected="a ratio, or max_macs or max_bytes (required for global ratios)",
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
    """TF-MOT's magnitude pruning: the smallest weights become zero, the network keeps its shape.

    Attributes:
        sparsity: Share of the weights of each convolution and dense kernel to set to zero.
        schedule: `agp`, `linear`, `constant` from the first step on, or `held`: existing zeros stay
            and no other weight is chosen.
        pattern: `unstructured`, or `2:4`: two of four neighbours in a kernel, a sparsity of 0.5
            from the first step on.
        updates: Number of times the weights are chosen again.
        epochs: Epochs in which weights become zero.
        tuning_epochs: Epochs of fine-tuning afterwards, in which zeros stay zero; 0 for none.
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
        """The fine-tuning round that follows: zeros stay zero."""
        return replace(self, schedule="held", epochs=self.tuning_epochs, tuning_epochs=0)


Round = PruningRound | MagnitudeRound


class Target:
    """Final ratio of a round for one network, and the channels kept on the way there.

    Args:
        pruning: Pruning round.
        fixed: Network at a fixed input shape, as returned by `registry.build_fixed`.

    Attributes:
        ratio: Final ratio: the share of each group's channels to remove; with global ratios, the
            share of the network's cost.

    Raises:
        InputError: No ratio meets the limits, no channel can be removed, or the network is not
            understood.
    """

    def __init__(self, pruning: PruningRound, fixed: keras.Model):
        _check_groups(fixed)
        self._max_macs, self._max_bytes = pruning.max_macs, pruning.max_bytes
        self._fixed = fixed if pruning.ratios == "global" else None
        if pruning.ratio is not None:
            self.ratio = pruning.ratio
        else:
            find = global_share if pruning.ratios == "global" else smallest_uniform_ratio
            # Rounded up at TF-MOT's single precision: down, one channel too few would be removed.
            ratio = find(fixed, max_macs=self._max_macs, max_bytes=self._max_bytes)
            self.ratio = math.ceil(ratio * 1e7) / 1e7
        if self._fixed is not None and self.ratio:
            # Whether the limits can be met at all does not depend on the scores, so fail early.
            alike = {group.name: np.ones(group.size) for group in channel_groups(fixed)}
            self.kept(alike, self.ratio)

    def kept(self, scores: Importance, ratio: float) -> Kept:
        """Channels kept in each group at a ratio between 0 and the final one."""
        if self._fixed is None:
            return uniform_kept(scores, ratio)
        return global_kept(
            self._fixed,
            scores,
            max_macs=self._max_macs,
            max_bytes=self._max_bytes,
            progress=ratio / self.ratio,
        )


def _check_groups(network: keras.Model) -> None:
    """Rejects a network that would stay as it is."""
    graph = read_graph(network)
    if not graph.groups:
        layer, reason = next(iter(graph.protected.items()), ("none", "has no kernels"))
        raise InputError(
            "no channel can be removed",
            where=f"network {network.name}",
            expected="a network whose channels do not depend on one another",
            received=f"{layer}: {reason}",
        )


def step_ratios(schedule: str, final: float, updates: int, steps: int):
    """TF-MOT's schedule over `steps` steps: a function from a step to (whether to update, ratio).

    However short the training, its last update falls within it, so that the ratio is reached.
    """
    # TF-MOT's wrappers number the first batch 1.
    if schedule == "constant":
        return schedules.one_shot(final, interval=max(1, steps // updates), begin=1)
    if schedule == "held":  # the first update picks exactly the existing zeros
        return schedules.one_shot(final, interval=1, begin=1, end=1)
    updates = min(updates, max(1, int(_PRUNING_PART * steps)))
    interval = max(1, int(_PRUNING_PART * steps / updates))
    return _SCHEDULES[schedule](final, updates=updates, interval=interval)
