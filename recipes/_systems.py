"""The systems of the report: widths, schedules, shares of the epochs, words for the meta file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, Literal

from dcase_system.errors import InputError
from dcase_system.pruning.rounds import PruningRound
from dcase_system.submission.meta import SystemDescription
from recipes import _flags


@dataclass(frozen=True)
class System:
    """A width to begin with, and how it is pruned.

    Attributes:
        architecture: name in the registry.
        rounds: (ratio, schedule) of each round of pruning.
        adaptations: what sets it apart, for the meta file.
        demo_architecture: about half as wide, for the demo corpus.
    """

    architecture: str
    rounds: tuple[tuple[float, Literal["agp", "linear"]], ...]
    adaptations: str
    demo_architecture: str


# SJTU-THU's report, table 1; ratios from the authors' masks. S2 as handed in is over 128,000 bytes
# at float16; S2c is the same a little further pruned.
SYSTEMS = {
    "dense": System(
        "sscp_mobile_32", (), "SSCP-Mobile at base width 32, not pruned", "sscp_mobile_32"
    ),
    "S1": System(
        "sscp_mobile_64", ((0.5, "agp"),), "AGP pruning from base width 64", "sscp_mobile_32"
    ),
    "S2": System(
        "sscp_mobile_96", ((0.67, "linear"),), "linear pruning from base width 96", "sscp_mobile_48"
    ),
    "S2c": System(
        "sscp_mobile_96",
        ((0.6735, "linear"),),
        "linear pruning from base width 96",
        "sscp_mobile_48",
    ),
    "S3": System(
        "sscp_mobile_96",
        ((0.34, "agp"), (0.51, "agp")),
        "progressive AGP pruning from base width 96 over 64",
        "sscp_mobile_48",
    ),
    "baseline": System("cp_mobile", (), "the network of the 2024 baseline", "cp_mobile"),
}
MEANING = (
    "System to train: base width 32 (dense), wider ones that are pruned (S1 to S3), or the network "
    "of the 2024 baseline."
)
# A pruned system trains three times or five: wide, pruned, tuned. Its epochs are shared out so. The
# default is 2.5 times a dense one's: the authors' checkpoints show as many epochs of tuning alone.
_SHARES: dict[int, tuple[float, ...]] = {
    0: (1.0,),
    1: (0.4, 0.2, 0.4),
    2: (0.3, 0.15, 0.1, 0.15, 0.3),
}
PRUNED_EPOCHS_FACTOR = 2.5
DEMO_PRUNED_EPOCHS_FACTOR = 1.5
_DESCRIPTION = SystemDescription(
    input_sampling_rate="32kHz",
    acoustic_features="log-mel energies",
    data_augmentation="freq-mixstyle, time rolling, frequency masking",
    machine_learning_method="CNN",
    external_data_usage=None,
    complexity_management="precision_16, network design",
    pipeline="train student",
)


def rounds_of(name: str, total_epochs: int) -> tuple[int, tuple[PruningRound, ...]]:
    """Epochs of the first training, and the rounds of pruning after it, as the flags say.

    Args:
        name: a key of `SYSTEMS`.
        total_epochs: of all trainings together; each has one at least.
    """
    system = SYSTEMS[name]
    ends = [round(part * total_epochs) for part in accumulate(_SHARES[len(system.rounds)])]
    first, *others = [max(1, end - begin) for begin, end in pairwise([0, *ends])]
    rounds = [
        PruningRound(
            ratio=ratio,
            schedule=schedule,
            importance=_flags.IMPORTANCE.value,
            epochs=epochs,
            tuning_epochs=tuning,
        )
        for (ratio, schedule), epochs, tuning in zip(
            system.rounds, others[::2], others[1::2], strict=True
        )
    ]
    limits = {"max_macs": _flags.TARGET_MACS.value, "max_bytes": _flags.TARGET_BYTES.value}
    if any(limits.values()) or _flags.RATIOS.value == "global":
        if not rounds:
            raise InputError(
                "targets and ratios are for systems that are pruned",
                where="--target_macs, --target_bytes or --ratios",
                expected=", ".join(name for name, system in SYSTEMS.items() if system.rounds),
                received=name,
            )
        rounds[-1] = replace(rounds[-1], ratio=None, ratios=_flags.RATIOS.value, **limits)
    return first, tuple(rounds)


def described(name: str, settings: Mapping[str, Any]) -> SystemDescription:
    """A system for the meta file, with what a run of it has used.

    Args:
        name: a key of `SYSTEMS`.
        settings: of the run, from `config.json`.
    """
    augmentation, complexity = _DESCRIPTION.data_augmentation, _DESCRIPTION.complexity_management
    pipeline_tags = ["train student"]
    if settings["plan"]["impulse_response_probability"]:
        augmentation = f"{augmentation}, dir augmentation"
    if settings["plan"]["rounds"]:
        complexity = f"pruning, {complexity}"
        pipeline_tags.append("prune student")
    if settings["teachers"]:
        complexity = f"knowledge distillation, {complexity}"
        pipeline_tags = ["train teachers", "ensemble teachers", *pipeline_tags]
        pipeline_tags[-1] += " using knowledge distillation"
    return replace(
        _DESCRIPTION,
        data_augmentation=augmentation,
        complexity_management=complexity,
        external_data_usage=", ".join(settings["external_data"]) or None,
        pipeline=", ".join(pipeline_tags),
        system_adaptations=SYSTEMS[name].adaptations,
    )
