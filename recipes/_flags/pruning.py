"""Pruning."""

from absl import flags

from dcase_system.challenge.systems import BASE_CHANNELS

flags.DEFINE_enum(
    "base_channels",
    None,
    list(map(str, BASE_CHANNELS)),
    "Width to prune from, at the smallest ratio that meets the challenge's limits. [the system's]",
)
flags.DEFINE_enum(
    "pruning_schedule",
    None,
    ["agp", "linear"],
    "How the pruned share grows: fast at first (agp) or evenly (linear). [the system's]",
)
flags.DEFINE_integer(
    "target_macs",
    None,
    "MACS: Largest number of multiply-accumulates per clip after the last round of pruning. "
    "[the system's ratio decides]",
    1,
)
flags.DEFINE_integer(
    "target_bytes",
    None,
    "BYTES: Largest size of the float16 parameters after the last round of pruning (a .tflite "
    "file is larger). "
    "[the system's ratio decides]",
    1,
)
flags.DEFINE_enum(
    "ratios",
    "uniform",
    ["uniform", "global"],
    "With a target: prune every channel group by the same ratio, or rank all channels together.",
)
flags.DEFINE_enum(
    "importance",
    "l2",
    ["l1", "l2", "fpgm", "taylor"],
    "Importance criterion for channels: the norm of their weights (l1, l2), their distance from "
    "the others (fpgm), or their effect on the loss (taylor).",
)
