"""Pruning."""

from absl import flags

from dcase_system.challenge.systems import BASE_CHANNELS

flags.DEFINE_enum(
    "base_channels",
    None,
    list(map(str, BASE_CHANNELS)),
    "Width to prune from, by the smallest ratio that meets the challenge's limits. [the system's]",
)
flags.DEFINE_enum(
    "pruning_schedule",
    None,
    ["agp", "linear"],
    "How the share that is pruned grows: fast first (AGP) or evenly. [the system's]",
)
flags.DEFINE_integer(
    "target_macs",
    None,
    "MACS: Multiply-accumulates a clip that the last round of pruning may leave. "
    "[the system's ratio decides]",
    1,
)
flags.DEFINE_integer(
    "target_bytes",
    None,
    "BYTES: Size at float16 that the last round of pruning may leave. [the system's ratio decides]",
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
    "What decides which channels go: the norm of their weights (l1, l2), their distance from the "
    "others (fpgm), or their effect on the loss (taylor).",
)
