"""Computes a student's costs after all its rounds of pruning, before any training."""

from collections.abc import Sequence

from dcase_system.audio.specs import LogMelSpec
from dcase_system.challenge.student.plan import PUBLISHED, SUBMITTED_PRECISION
from dcase_system.complexity.counter import Complexity, count
from dcase_system.complexity.rules import MAX_BYTES_2024, MAX_MACS_2024
from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.pruning.importance import l2_importance
from dcase_system.pruning.rounds import PruningRound, Target
from dcase_system.pruning.slim import slim


def final_costs(
    architecture: str,
    rounds: Sequence[PruningRound],
    classes: int,
    samples: int,
    front_end: LogMelSpec = PUBLISHED,
) -> Complexity:
    """Counts the costs of a student's final network.

    Training decides which channels are pruned; uniform ratios fix how many. With global ratios the
    count is that of one choice within the limits of the round.

    Args:
        architecture: Name in the registry.
        rounds: Rounds of pruning.
        classes: Number of classes.
        samples: Number of samples in a clip.
        front_end: Front end of the student.

    Raises:
        InputError: No pruning meets a round's target.
    """
    frames = front_end.frames(samples)
    spec = registry.for_clips(registry.named_spec(architecture), classes, frames)
    network = registry.build_fixed(spec)
    for pruning in rounds:
        target = Target(pruning, network)
        network = slim(network, target.kept(l2_importance(network), target.ratio))
    return count(network)


def check_limits(
    architecture: str,
    rounds: Sequence[PruningRound],
    classes: int,
    samples: int,
    front_end: LogMelSpec = PUBLISHED,
) -> None:
    """Rejects a student that would exceed the challenge's limits of 2024.

    Args:
        architecture: See `final_costs`.
        rounds: See `final_costs`.
        classes: See `final_costs`.
        samples: See `final_costs`.
        front_end: See `final_costs`.

    Raises:
        InputError: The student would be over the limits, or see `final_costs`.
    """
    costs = final_costs(architecture, rounds, classes, samples, front_end)
    size = costs.bytes(SUBMITTED_PRECISION)
    if size > MAX_BYTES_2024 or costs.macs > MAX_MACS_2024:
        raise InputError(
            "network would be over the limits of a package, for clips of "
            f"{samples / front_end.sample_rate:g} s",
            where=architecture,
            expected=f"at most {MAX_BYTES_2024:,} bytes and {MAX_MACS_2024:,} MACs: a system that "
            f"is pruned to --target_bytes={MAX_BYTES_2024} --target_macs={MAX_MACS_2024}, or no "
            "--evaluation_dir, and so no package",
            received=f"{size:,} bytes and {costs.macs:,} MACs",
        )
