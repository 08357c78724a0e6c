"""Describes a system for its meta file, from the plans that ran."""

from collections.abc import Mapping, Sequence
from typing import Any

from dcase_system.submission.meta import SystemDescription

_SCHEDULES = {"agp": "AGP", "linear": "linear", "constant": "one-shot"}
_IMPORTANCE = {"l1": "L1 norm", "l2": "L2 norm", "fpgm": "FPGM", "taylor": "Taylor expansion"}
_NETWORKS = {
    "tf_sepnet_64": "TF-SepNet-64",
    "cnn_gru": "CNN-GRU (two convolutional paths and a GRU over channels)",
}
_AUGMENTATIONS = {
    "mixup_alpha": "mixup",
    "mixstyle_probability": "freq-mixstyle",
    "roll_seconds": "time rolling",
    "mask_mels": "frequency masking",
    "mask_frames": "time masking",
    "impulse_response_probability": "dir augmentation",
}
# Hyper-parameters that the organisers' template lists as adaptations to a split, in its order.
_BY_SPLIT = {
    "learning_rate": "learning rate",
    "epochs": "epochs",
    "batch_size": "batch size",
    "weight_decay": "weight decay",
    "mixstyle_probability": "freq-mixstyle probability",
    "mask_mels": "mask size in mel bands",
    "mask_frames": "mask size in frames",
    "roll_seconds": "rolling range in seconds",
    "impulse_response_probability": "dir probability",
}


def described(settings: Mapping[int, Mapping[str, Any]]) -> SystemDescription:
    """Describes a system for the meta file.

    Args:
        settings: Settings of its runs, from their `config.json`, by split percentage; at least one.
    """
    first = next(iter(settings.values()))
    plan, taught = first["plan"], bool(first["teachers"])
    augmentation = [words for key, words in _AUGMENTATIONS.items() if plan[key]]
    complexity = ["knowledge distillation"] * taught + ["pruning"] * bool(plan["rounds"])
    pipeline = ["train teachers", "ensemble teachers"] * taught + ["train student"]
    if plan["rounds"]:
        pipeline.append("prune student")
    if taught:
        pipeline[-1] += " using knowledge distillation"
    return SystemDescription(
        input_sampling_rate="32kHz",
        acoustic_features="log-mel energies",
        data_augmentation=", ".join(augmentation) or None,
        machine_learning_method="CNN, GRU" if plan["architecture"] == "cnn_gru" else "CNN",
        external_data_usage=", ".join(first["external_data"]) or None,
        complexity_management=", ".join([*complexity, "precision_16", "network design"]),
        pipeline=", ".join(pipeline),
        framework="keras/tensorflow",
        split_adaptations=_split_adaptations(settings),
        system_adaptations=system_adaptations(plan),
    )


def system_adaptations(plan: Mapping[str, Any]) -> str:
    """Describes network and pruning, such as `base width 64; AGP pruning of channels ...`.

    Args:
        plan: Plan of a run, from `config.json`.
    """
    architecture = plan["architecture"]
    family, _, base = architecture.rpartition("_")
    is_ours = family == "sscp_mobile" and base.isdecimal()
    network = _NETWORKS.get(architecture, architecture)
    if is_ours:
        network = f"SSCP-Mobile at base width {base}"
    return "; ".join([network, *(pruning_text(one) for one in plan["rounds"])])


def pruning_schedule(plan: Mapping[str, Any]) -> str:
    """Names the schedules of a plan's pruning rounds, such as `AGP`; `none` without pruning."""
    return ", ".join(dict.fromkeys(_SCHEDULES[one["schedule"]] for one in plan["rounds"])) or "none"


def pruning_text(pruning: Mapping[str, Any]) -> str:
    """Describes one round of pruning: schedule, criterion, ratio or limits."""
    schedule = _SCHEDULES[pruning["schedule"]]
    if "sparsity" in pruning:
        pattern = " (2 of 4)" if pruning["pattern"] == "2:4" else ""
        return f"{schedule} magnitude pruning of {pruning['sparsity']:.0%} of the weights{pattern}"
    how = f"{schedule} pruning of channels by {_IMPORTANCE[pruning['importance']]}"
    if pruning["ratio"] is not None:
        return f"{how}, ratio {pruning['ratio']:g}"
    limits = {"MACs": pruning["max_macs"], "bytes at float16": pruning["max_bytes"]}
    stated = " and ".join(f"{value:,} {unit}" for unit, value in limits.items() if value)
    return f"{how}, {pruning['ratios']} ratios, to at most {stated}"


def _split_adaptations(settings: Mapping[int, Mapping[str, Any]]) -> str | None:
    """Lists the hyper-parameters that differ between the splits; None for a single split."""
    if len(settings) < 2:
        return None
    plans = {split: _flat(one["plan"]) for split, one in sorted(settings.items())}
    differing = [
        f"{words} {_by_split({split: plan[key] for split, plan in plans.items()})}"
        for key, words in _BY_SPLIT.items()
        if len({plan[key] for plan in plans.values()}) > 1
    ]
    return "; ".join(differing) or "the same hyper-parameters on every split"


def _flat(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a plan whose `epochs` are the total of all its trainings."""
    rounds: Sequence[Mapping[str, Any]] = plan["rounds"]
    pruning = sum(one["epochs"] + one["tuning_epochs"] for one in rounds)
    return {**plan, "epochs": plan["epochs"] + pruning}


def _by_split(values: Mapping[int, Any]) -> str:
    return ", ".join(f"{value:g} ({split} %)" for split, value in values.items())
