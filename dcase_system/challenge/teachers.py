"""Plans of the teachers, and a warning for missing published weights."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dcase_system.audio.front_ends import FrontEndSpec
from dcase_system.audio.kaldi_mel import KaldiMelSpec
from dcase_system.audio.log_mel import LogMelSpec
from dcase_system.challenge.members import (
    CHECKPOINTS,
    CONVOLUTIONAL,
    PASST,
    PASST_FROM_SCRATCH,
    PRETRAINED_MEMBERS,
)
from dcase_system.core.errors import InputError
from dcase_system.distillation.plan import TeacherPlan
from dcase_system.models import registry
from dcase_system.models.passt import PaSSTSpec
from dcase_system.training.seeds import derive

PASST_FRONT_END = KaldiMelSpec(max_hz=15_500.0, max_hz_range=1_000)
PASST_PATCHOUT_MELS = 6


def teacher_plans(
    members: Sequence[str],
    initial_weights: Sequence[str],
    *,
    seed: int,
    given: Mapping[str, Any],
) -> list[TeacherPlan]:
    """Plans the training of each member of an ensemble.

    Args:
        members: Architecture of each member: a name, or a `.json` spec file.
        initial_weights: Folders of imported checkpoints for the first members to start from.
        seed: Seed of the ensemble, from which each member's seed is derived.
        given: Hyper-parameters that override the defaults of each kind of member.

    Raises:
        InputError: An architecture is unknown, or there are more weights than members.
    """
    if len(initial_weights) > len(members):
        raise InputError(
            "more initial weights than members",
            where="--initial_weights",
            expected=f"at most {len(members)}",
            received=len(initial_weights),
        )
    weights = [*map(Path, initial_weights), *[None] * (len(members) - len(initial_weights))]
    return [
        _plan(number, member, initial, derive(seed, "teacher", number), given)
        for number, (member, initial) in enumerate(zip(members, weights, strict=True), 1)
    ]


def missing_weights(plans: Sequence[TeacherPlan]) -> str | None:
    """Returns a warning if PaSST teachers have fewer published weights than the report's."""
    passt = [plan for plan in plans if isinstance(plan.spec, PaSSTSpec)]
    from_scratch = sum(plan.initial_weights is None for plan in passt)
    if from_scratch <= max(0, len(passt) - PRETRAINED_MEMBERS):
        return None
    return (
        f"WARNING: {from_scratch} of {len(passt)} PaSST teachers start from random weights; the "
        f"report fine-tunes {PRETRAINED_MEMBERS} published ones. Training from scratch follows a "
        "plan of ours: it takes days without a GPU; expect worse teachers. Published "
        f"weights: github.com/kkoutini/PaSST, releases {', '.join(CHECKPOINTS)}; import each with "
        "python -m dcase_system.models.checkpoints and name the folders in --initial_weights. "
        "For a CPU, use --members=cp_mobile_teacher,cp_mobile_teacher"
    )


def _plan(
    number: int, member: str, initial: Path | None, seed: int, given: Mapping[str, Any]
) -> TeacherPlan:
    spec = registry.read_spec(member) if member.endswith(".json") else registry.named_spec(member)
    front_end: FrontEndSpec = LogMelSpec()
    settings = CONVOLUTIONAL
    if isinstance(spec, PaSSTSpec):
        front_end = PASST_FRONT_END
        settings = PASST if initial else PASST_FROM_SCRATCH
        if spec.grid[0] > PASST_PATCHOUT_MELS:
            spec = replace(spec, patchout_mels=PASST_PATCHOUT_MELS)
    return TeacherPlan(
        name=f"{number}-{Path(member).stem}",
        spec=spec,
        front_end=front_end,
        initial_weights=initial,
        seed=seed,
        **{**settings, **given},
    )
