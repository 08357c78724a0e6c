"""The systems of the report: widths, rounds of pruning, and how the epochs are shared out.

Commands read the table before TensorFlow is imported; so what needs it is imported below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Literal

from dcase_system.core.errors import InputError

if TYPE_CHECKING:
    from dcase_system.pruning.rounds import Round

Schedule = Literal["agp", "linear"]
MASK_FRAMES = 12
"""Largest time mask of the students, in frames of 1/64 s.

The report masks frequency bands and time (section 2.2.2) and gives no widths: bands as the 2024
baseline, frames ours, the same share of the spectrogram.
"""


@dataclass(frozen=True)
class System:
    """A network to begin with, and how it is pruned.

    Attributes:
        architecture: name in the registry.
        rounds: (ratio, schedule) of each round of pruning.
        demo_architecture: about half as wide, for the demo corpus.
        zeros: whether rounds set single weights to zero (TF-MOT) and remove no channel; the ratio
            is then the share of zeros.
        mask_frames: largest time mask, in frames.
    """

    architecture: str
    rounds: tuple[tuple[float, Schedule], ...]
    demo_architecture: str
    zeros: bool = False
    mask_frames: int = MASK_FRAMES


# S1 to S3: the report's Table 1; ratios from the authors' masks. S2 as handed in is over 128,000
# bytes at float16; S2c is the same a little further pruned. The others are ours, to compare with.
SYSTEMS: Mapping[str, System] = {
    "S1": System("sscp_mobile_64", ((0.5, "agp"),), "sscp_mobile_32"),
    "S2": System("sscp_mobile_96", ((0.67, "linear"),), "sscp_mobile_48"),
    "S2c": System("sscp_mobile_96", ((0.6735, "linear"),), "sscp_mobile_48"),
    "S3": System("sscp_mobile_96", ((0.34, "agp"), (0.51, "agp")), "sscp_mobile_48"),
    "dense": System("sscp_mobile_32", (), "sscp_mobile_32"),
    # Leaves 63,704 of 238,324 parameters, as many as S1 has: TF-MOT prunes no depthwise kernel.
    "magnitude": System("sscp_mobile_64", ((0.78, "agp"),), "sscp_mobile_32", zeros=True),
    "baseline": System("cp_mobile", (), "cp_mobile", mask_frames=0),
}
MEANING = (
    "System to train: a wide network that is pruned (S1, S2, S3 of the report; S2c is S2 within "
    "the limits), one at its final width (dense), one with zeros in place of fewer channels "
    "(magnitude), or the network of the 2024 baseline."
)
BASE_CHANNELS = (48, 64, 80, 96)
"""Widths that the report prunes from (section 2.4)."""

# A pruned system trains three times or five: wide, pruned, tuned. Its epochs are shared out so. The
# default is 2.5 times a dense one's: the authors' checkpoints show as many epochs of tuning alone.
_SHARES: dict[int, tuple[float, ...]] = {
    0: (1.0,),
    1: (0.4, 0.2, 0.4),
    2: (0.3, 0.15, 0.1, 0.15, 0.3),
}
PRUNED_EPOCHS_FACTOR = 2.5
DEMO_PRUNED_EPOCHS_FACTOR = 1.5


@dataclass(frozen=True, kw_only=True)
class PruningOptions:
    """What may differ from a system's own way of pruning.

    Attributes:
        base_channels: width to prune from, by the smallest ratio that meets the limits.
        schedule: of all rounds; None keeps the system's own.
        importance: what decides which channels go.
        ratios: one for all channel groups, or by one ranking of all channels.
        max_macs: limit in place of the last ratio.
        max_bytes: limit at float16 in place of the last ratio.
    """

    base_channels: int | None = None
    schedule: Schedule | None = None
    importance: Literal["l1", "l2", "fpgm", "taylor"] = "l2"
    ratios: Literal["uniform", "global"] = "uniform"
    max_macs: int | None = None
    max_bytes: int | None = None

    @property
    def limits(self) -> tuple[int | None, int | None]:
        """(MACs, bytes) in place of the last ratio; for a given width the challenge's own."""
        if self.base_channels is None or self.max_macs or self.max_bytes:
            return self.max_macs, self.max_bytes
        from dcase_system.complexity.rules import MAX_BYTES_2024, MAX_MACS_2024

        return MAX_MACS_2024, MAX_BYTES_2024

    @property
    def replace_ratio(self) -> bool:
        """Whether limits take the place of the last ratio; global ratios need some."""
        return any(self.limits) or self.ratios == "global"


@dataclass(frozen=True)
class Planned:
    """A system's network, the epochs of its first training, and the rounds after it."""

    architecture: str
    epochs: int
    rounds: tuple[Round, ...]


def planned(name: str, total_epochs: int, options: PruningOptions, *, demo: bool) -> Planned:
    """The trainings of a system.

    Args:
        name: a key of `SYSTEMS`.
        total_epochs: of all trainings together; each has one at least.
        options: what differs from the system's own way.
        demo: begins with the demo's network.

    Raises:
        InputError: the system is not pruned in the way that the options ask for.
    """
    system = SYSTEMS[name]
    _check(name, system, options)
    ends = [round(part * total_epochs) for part in accumulate(_SHARES[len(system.rounds)])]
    first, *others = [max(1, end - begin) for begin, end in pairwise([0, *ends])]
    rounds = tuple(
        _round(system, number, options, epochs, tuning_epochs)
        for number, (epochs, tuning_epochs) in enumerate(
            zip(others[::2], others[1::2], strict=True)
        )
    )
    architecture = system.demo_architecture if demo else system.architecture
    if options.base_channels is not None:
        architecture = f"sscp_mobile_{options.base_channels}"
    return Planned(architecture, first, rounds)


def _round(
    system: System, number: int, options: PruningOptions, epochs: int, tuning_epochs: int
) -> Round:
    from dcase_system.pruning.rounds import MagnitudeRound, PruningRound

    ratio, own_schedule = system.rounds[number]
    schedule = options.schedule or own_schedule
    if system.zeros:
        return MagnitudeRound(
            sparsity=ratio, schedule=schedule, epochs=epochs, tuning_epochs=tuning_epochs
        )
    is_limited = number == len(system.rounds) - 1 and options.replace_ratio
    return PruningRound(
        ratio=None if is_limited else ratio,
        max_macs=options.limits[0] if is_limited else None,
        max_bytes=options.limits[1] if is_limited else None,
        ratios=options.ratios if is_limited else "uniform",
        schedule=schedule,
        importance=options.importance,
        epochs=epochs,
        tuning_epochs=tuning_epochs,
    )


def _check(name: str, system: System, options: PruningOptions) -> None:
    channels = {key for key, one in SYSTEMS.items() if one.rounds and not one.zeros}
    if name not in channels and options.replace_ratio:
        raise InputError(
            "targets and ratios are for systems that remove channels",
            where="--base_channels, --target_macs, --target_bytes or --ratios",
            expected=", ".join(sorted(channels)),
            received=name,
        )
    if options.base_channels is not None and len(system.rounds) > 1:
        raise InputError(
            "a width to prune from is for systems of one round",
            where="--base_channels",
            expected="S1, S2 or S2c",
            received=name,
        )
    if options.schedule is not None and not system.rounds:
        raise InputError(
            "a schedule is for systems that are pruned",
            where="--pruning_schedule",
            expected=", ".join(key for key, one in SYSTEMS.items() if one.rounds),
            received=name,
        )
