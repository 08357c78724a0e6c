"""Training."""

from absl import flags

flags.DEFINE_integer(
    "accumulation",
    1,
    "BATCHES: Batches per optimiser step, for steps with more clips than fit into memory.",
    1,
)
flags.DEFINE_enum(
    "distribution",
    "one_device",
    ["one_device", "mirrored", "multi_worker"],
    "Train on one device, on all GPUs of this machine, or on the machines of TF_CONFIG, where each "
    "runs the same command with the same run directory.",
)
