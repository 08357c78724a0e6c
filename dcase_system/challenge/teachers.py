"""Plans of the teachers, and a warning for missing published weights."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system.audio.embedding import embedding_spec
from dcase_system.audio.specs import FrontEndSpec
from dcase_system.challenge.members import (
    CHECKPOINTS,
    CONVOLUTIONAL,
    CP_RESNET,
    FROZEN,
    PASST,
    PASST_FROM_SCRATCH,
    PRETRAINED_MEMBERS,
    YAMNET,
)
from dcase_system.core.errors import InputError
from dcase_system.distillation.plan import TeacherPlan
from dcase_system.models import registry
from dcase_system.models.cp_resnet import CPResNetSpec
from dcase_system.models.features import front_end_of
from dcase_system.models.linear import LinearSpec
from dcase_system.models.passt import PaSSTSpec
from dcase_system.models.yamnet import YAMNetSpec
from dcase_system.training.seeds import derive

PASST_PATCHOUT_MELS = 6
MEMORISED_ACCURACY = 98.0  # percent


def teacher_plans(
    members: Sequence[str],
    initial_weights: Sequence[str],
    *,
    seed: int,
    given: Mapping[str, Any],
    frozen: bool = False,
    half_without_responses: bool = False,
    folds: int = 1,
    embedding_rate: int = 16_000,
    embedding_output: str | None = None,
) -> list[TeacherPlan]:
    """Plans the training of each member of an ensemble.

    Args:
        members: Architecture of each member: a name, a `.json` spec file, or a network whose
            embeddings a linear classifier learns from, as `.tflite` file or SavedModel.
        initial_weights: Folders of imported checkpoints for the first members to start from.
        seed: Seed of the ensemble, from which each member's seed is derived.
        given: Hyper-parameters that override the defaults of each kind of member.
        frozen: Whether members with initial weights train their classifier alone.
        half_without_responses: Whether the first, third, ... member of each architecture trains
            without impulse responses, as in published ensembles (with Freq-MixStyle alone).
        folds: Number of folds of recording locations; the members leave out one after another.
        embedding_rate: Sample rate in Hz at which networks from files take waveforms.
        embedding_output: Name of their output, if they have several.

    Raises:
        InputError: An architecture is unknown, there are more weights than members, or a choice
            applies to no member.
    """
    if frozen and not initial_weights:
        raise InputError(
            "no member has layers to freeze", where="--frozen", expected="--initial_weights"
        )
    if len(initial_weights) > len(members):
        raise InputError(
            "more initial weights than members",
            where="--initial_weights",
            expected=f"at most {len(members)}",
            received=len(initial_weights),
        )
    weights = [*map(Path, initial_weights), *[None] * (len(members) - len(initial_weights))]
    plans = [
        replace(
            _plan(
                number,
                member,
                initial,
                derive(seed, "teacher", number),
                given,
                frozen,
                embedding_rate,
                embedding_output,
            ),
            folds=folds,
            fold=(number - 1) % folds,
        )
        for number, (member, initial) in enumerate(zip(members, weights, strict=True), 1)
    ]
    if not half_without_responses:
        return plans
    if not any(plan.impulse_response_probability for plan in plans):
        raise InputError(
            "no member trains with impulse responses",
            where="--half_without_responses",
            expected="--impulse_responses",
        )
    return [
        plan if members[:index].count(members[index]) % 2 else _without_responses(plan)
        for index, plan in enumerate(plans)
    ]


def _without_responses(plan: TeacherPlan) -> TeacherPlan:
    return replace(plan, impulse_response_probability=0.0)


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


def memorised(description: Mapping[str, Any]) -> str | None:
    """Returns a warning if teachers classify the clips they were trained on almost perfectly.

    Args:
        description: `train_teachers`' description of the ensemble.
    """
    if "out_of_fold" in description:
        return None  # a student gets no logits of clips that a teacher was trained on
    accuracies = [
        row["accuracy"] for name, row in description["train"].items() if name != "ensemble"
    ]
    if np.mean(accuracies) < MEMORISED_ACCURACY:
        return None
    return (
        f"WARNING: the teachers know their training clips by heart ({np.mean(accuracies):.1f} % "
        "right), so their logits say little more than the labels; train teachers by --folds, or "
        "students with --teaching=consistent"
    )


def _plan(
    number: int,
    member: str,
    initial: Path | None,
    seed: int,
    given: Mapping[str, Any],
    frozen: bool,
    embedding_rate: int,
    embedding_output: str | None,
) -> TeacherPlan:
    spec, front_end = _architecture(member, embedding_rate, embedding_output)
    if isinstance(spec, YAMNetSpec) and initial is not None:
        spec = replace(spec, power_normalised=True)
    frozen = frozen and initial is not None
    if isinstance(spec, PaSSTSpec) and spec.grid[0] > PASST_PATCHOUT_MELS:
        spec = replace(spec, patchout_mels=PASST_PATCHOUT_MELS)
    return TeacherPlan(
        name=f"{number}-{Path(member).stem}",
        spec=spec,
        front_end=front_end,
        initial_weights=initial,
        frozen=frozen,
        seed=seed,
        **{**_settings(spec, initial is not None, frozen), **given},
    )


def _architecture(member: str, rate: int, output: str | None) -> tuple[Any, FrontEndSpec]:
    """Returns the spec that a member's name or file stands for, and its front end."""
    is_file = member.endswith(".tflite") or Path(member).is_dir()
    if is_file and member not in registry.ARCHITECTURES:
        embedding = embedding_spec(member, network_rate=rate, output=output)
        return LinearSpec((embedding.n_mels, 1)), embedding
    spec = registry.read_spec(member) if member.endswith(".json") else registry.named_spec(member)
    return spec, front_end_of(spec)


def _settings(spec: Any, pretrained: bool, frozen: bool) -> Mapping[str, Any]:
    """Default hyper-parameters of a kind of member."""
    if frozen or isinstance(spec, LinearSpec):
        return FROZEN
    if isinstance(spec, PaSSTSpec):
        return PASST if pretrained else PASST_FROM_SCRATCH
    if isinstance(spec, CPResNetSpec):
        return CP_RESNET
    return YAMNET if isinstance(spec, YAMNetSpec) and pretrained else CONVOLUTIONAL
