"""The teachers of the report, and of a CPU: what each is trained with (SJTU-THU, section 2.3).

The report ensembles four PaSST: three published ones, fine-tuned on the split, and one trained from
scratch. It does not say which three. Their training here is that of fschmid56/cpjku_dcase23.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dcase_system.audio.front_ends import FrontEndSpec
from dcase_system.audio.kaldi_mel import KaldiMelSpec
from dcase_system.audio.log_mel import LogMelSpec
from dcase_system.distillation.plan import TeacherPlan
from dcase_system.errors import InputError
from dcase_system.models import registry
from dcase_system.models.passt import PaSSTSpec
from dcase_system.training.seeds import derive

PUBLISHED_MEMBERS = ("passt_s",) * 4
PRETRAINED_MEMBERS = 3
DEMO_MEMBERS = ("cp_mobile", "passt_tiny")
CHECKPOINTS = (
    "v0.0.1-audioset/passt-s-f128-p16-s10-ap.476-swa.pt",
    "v0.0.2-audioset/passt-s-f128-p16-s10-ap.4761-swa.pt",
    "v.0.0.9/passt-s-kd-ap.486.pt",
)
"""Three of stride 10 among the releases of github.com/kkoutini/PaSST."""

# run_passt_training.py; the probability of impulse responses is a flag.
PASST: Mapping[str, Any] = {
    "epochs": 25,
    "batch_size": 80,
    "learning_rate": 1e-5,
    "weight_decay": 1e-3,
    "schedule": "exponential_linear",
    "roll_seconds": 10_000 / 32_000,
    "mask_mels": 48,
    "mask_frames": 20,
    "mixstyle_probability": 0.4,
    "mixstyle_alpha": 0.4,
}
PASST_FRONT_END = KaldiMelSpec(max_hz=15_500.0, max_hz_range=1_000)
PASST_PATCHOUT_MELS = 6
# Ours: the report has one member trained from scratch and does not say how. The rate and the epochs
# of fine-tuning lead nowhere from random weights.
PASST_FROM_SCRATCH: Mapping[str, Any] = {
    **PASST,
    "epochs": 150,
    "learning_rate": 5e-4,
    "schedule": "warmup_cosine",
}
# Ours, for a CPU: the baseline's training with the teachers' augmentation.
CONVOLUTIONAL: Mapping[str, Any] = {
    "epochs": 150,
    "batch_size": 256,
    "learning_rate": 0.004,
    "roll_seconds": 0.3,
    "mixstyle_alpha": 0.4,
}
DEMO: Mapping[str, Any] = {"batch_size": 64}
DEMO_EPOCHS = {5: 40, 10: 30, 25: 20, 50: 12, 100: 10}


def teacher_plans(
    members: Sequence[str],
    initial_weights: Sequence[str],
    *,
    seed: int,
    given: Mapping[str, Any],
) -> list[TeacherPlan]:
    """The plans of an ensemble, member by member.

    Args:
        members: architecture of each: a name, or the `.json` file of a spec.
        initial_weights: folders of imported checkpoints that the first members start from.
        seed: of the ensemble; each member gets its own.
        given: hyper-parameters in place of those of a member's kind.

    Raises:
        InputError: an architecture is not known, or there are more weights than members.
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
    """What to tell a user whose PaSST teachers have fewer published weights than the report's."""
    passt = [plan for plan in plans if isinstance(plan.spec, PaSSTSpec)]
    from_scratch = sum(plan.initial_weights is None for plan in passt)
    if from_scratch <= max(0, len(passt) - PRETRAINED_MEMBERS):
        return None
    return (
        f"WARNING: {from_scratch} of {len(passt)} PaSST teachers start from random weights; the "
        f"report fine-tunes {PRETRAINED_MEMBERS} published ones. How they are trained from scratch "
        "is ours: it takes days without a GPU, and worse teachers are to be expected. Published "
        f"weights: github.com/kkoutini/PaSST, releases {', '.join(CHECKPOINTS)}; import each with "
        "python -m dcase_system.models.checkpoints and name the folders in --initial_weights. A "
        "CPU can train others: --members=cp_mobile_teacher,cp_mobile_teacher"
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
