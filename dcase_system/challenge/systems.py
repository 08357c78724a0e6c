"""The systems of the report: widths, rounds of pruning, and shares of the epochs.

Commands read the table before TensorFlow is imported, so anything that needs TensorFlow is imported
inside functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Literal

from dcase_system.core.errors import InputError

if TYPE_CHECKING:
    from dcase_system.challenge.student.plan import StudentPlan
    from dcase_system.pruning.rounds import Round

Schedule = Literal["agp", "linear"]
MASK_FRAMES = 12
"""Largest time mask of the students, in frames of 1/64 s.

The report masks frequency bands and time (section 2.2.2) without giving widths. We mask bands as
the 2024 baseline does, and frames by the same share of the spectrogram.
"""


@dataclass(frozen=True)
class System:
    """An initial network and its rounds of pruning.

    Attributes:
        architecture: Name in the registry.
        rounds: (ratio, schedule) of each round of pruning.
        demo_architecture: Name of a network about half as wide, for the demo corpus.
        zeros: Whether rounds set single weights to zero (TF-MOT) instead of removing channels; the
            ratio is then the share of zeros.
        mask_frames: Largest time mask, in frames.
        not_packed: Why no package takes it; empty if packages do.
    """

    architecture: str
    rounds: tuple[tuple[float, Schedule], ...]
    demo_architecture: str
    zeros: bool = False
    mask_frames: int = MASK_FRAMES
    not_packed: str = ""


_ZEROS = (
    "zeros change neither parameters nor MACs as the rules count them since 2022, nor latency on a "
    "device without kernels for sparse weights. The zipped file is smaller, and the rules of 2020 "
    "and 2021 count fewer parameters: see the report's table of zeros."
)
_OVER_AT_FLOAT16 = (
    "its parameters take more than 128,000 bytes at float16, the precision of our packages. At "
    "int8 they would fit: the report has the accuracy of the int8 file, if one was exported."
)

# S1 to S3: the report's Table 1; ratios from the authors' masks. The submitted S2 exceeds 128,000
# bytes at float16; S2c is S2 pruned slightly further. The others are ours, for comparison.
SYSTEMS: Mapping[str, System] = {
    "S1": System("sscp_mobile_64", ((0.5, "agp"),), "sscp_mobile_32"),
    "S2": System("sscp_mobile_96", ((0.67, "linear"),), "sscp_mobile_48"),
    "S2c": System("sscp_mobile_96", ((0.6735, "linear"),), "sscp_mobile_48"),
    "S3": System("sscp_mobile_96", ((0.34, "agp"), (0.51, "agp")), "sscp_mobile_48"),
    "dense": System("sscp_mobile_32", (), "sscp_mobile_32"),
    # Leaves 63,704 of 238,324 parameters, as many as S1 has: TF-MOT skips depthwise kernels.
    "magnitude": System(
        "sscp_mobile_64", ((0.78, "agp"),), "sscp_mobile_32", zeros=True, not_packed=_ZEROS
    ),
    "tf_sepnet": System("tf_sepnet_64", (), "tf_sepnet_64", not_packed=_OVER_AT_FLOAT16),
    "cnn_gru": System("cnn_gru", (), "cnn_gru"),
    "baseline": System("cp_mobile", (), "cp_mobile", mask_frames=0),
}
PACKED = [name for name, system in SYSTEMS.items() if not system.not_packed]
"""Names of the systems that packages take."""
MEANING = (
    "System to train: a pruned wide network (S1, S2, S3 of the report; S2c is S2 within the "
    "limits), one trained at its final width (dense), one with zeros instead of fewer channels "
    "(magnitude), another published network without pruning (tf_sepnet: TF-SepNet-64, not packed; "
    "cnn_gru: DCASE 2025's second place), or the network of the 2024 baseline."
)
BASE_CHANNELS = (48, 64, 80, 96)
"""Widths that the report prunes from (section 2.4)."""

# A pruned system has three or five trainings: wide, then pruning and fine-tuning in each round.
# These are their shares of its epochs. The default is 2.5 times a dense system's: in the authors'
# checkpoints, fine-tuning alone takes as many epochs.
_SHARES: dict[int, tuple[float, ...]] = {
    0: (1.0,),
    1: (0.4, 0.2, 0.4),
    2: (0.3, 0.15, 0.1, 0.15, 0.3),
}
DEMO_EPOCHS: Mapping[int, int] = {5: 40, 10: 30, 25: 20, 50: 12, 100: 10}
"""Epochs on the demo corpus by split, of dense systems and of teachers; ours."""
PRUNED_EPOCHS_FACTOR = 2.5
DEMO_PRUNED_EPOCHS_FACTOR = 1.5


@dataclass(frozen=True, kw_only=True)
class PruningOptions:
    """Overrides of a system's own pruning.

    Attributes:
        base_channels: Width to prune from, at the smallest ratio that meets the limits.
        schedule: Schedule of all rounds; None keeps the system's own.
        importance: Criterion that ranks channels.
        ratios: One ratio for all channel groups, or one ranking of all channels.
        max_macs: Limit that replaces the last ratio.
        max_bytes: Limit at float16 that replaces the last ratio.
    """

    base_channels: int | None = None
    schedule: Schedule | None = None
    importance: Literal["l1", "l2", "fpgm", "taylor"] = "l2"
    ratios: Literal["uniform", "global"] = "uniform"
    max_macs: int | None = None
    max_bytes: int | None = None

    @property
    def limits(self) -> tuple[int | None, int | None]:
        """(MACs, bytes) that replace the last ratio; the challenge's limits for a given width."""
        if self.base_channels is None or self.max_macs or self.max_bytes:
            return self.max_macs, self.max_bytes
        from dcase_system.complexity.rules import MAX_BYTES_2024, MAX_MACS_2024

        return MAX_MACS_2024, MAX_BYTES_2024

    @property
    def replace_ratio(self) -> bool:
        """Whether limits replace the last ratio; global ratios need limits."""
        return any(self.limits) or self.ratios == "global"


@dataclass(frozen=True)
class Planned:
    """A system's initial network, the epochs of its first training, and the rounds after it."""

    architecture: str
    epochs: int
    rounds: tuple[Round, ...]

    def student(self, **settings: Any) -> StudentPlan:
        """Returns the plan of a student that is trained so.

        Args:
            settings: All other hyper-parameters of a `StudentPlan`.
        """
        from dcase_system.challenge.student.plan import StudentPlan

        return StudentPlan(
            architecture=self.architecture, epochs=self.epochs, rounds=self.rounds, **settings
        )


def planned(name: str, total_epochs: int, options: PruningOptions, *, demo: bool) -> Planned:
    """Plans the trainings of a system.

    Args:
        name: Key of `SYSTEMS`.
        total_epochs: Total epochs of all trainings; each gets at least one.
        options: Overrides of the system's own pruning.
        demo: Whether to start from the demo's network.

    Raises:
        InputError: The options do not apply to the system.
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
