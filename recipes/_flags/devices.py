"""Training."""

from absl import flags

flags.DEFINE_integer(
    "accumulation",
    1,
    "BATCHES: Batches in a step of the optimiser, for steps of more clips than fit into memory.",
    1,
)
flags.DEFINE_enum(
    "distribution",
    "one_device",
    ["one_device", "mirrored", "multi_worker"],
    "Train on one device, on all GPUs of this machine, or on the machines of TF_CONFIG, each with "
    "the same command and run directory.",
)
