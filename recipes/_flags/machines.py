"""Machines."""

from absl import flags

flags.DEFINE_enum(
    "executor",
    "local",
    ["local", "ray"],
    "Where tasks run, the recipes of a package or the processes of a search: here, or on the nodes "
    "of a Ray cluster.",
)
flags.DEFINE_integer(
    "parallel_tasks",
    1,
    "With --executor=local: recipes at a time. Processes of a search, here and on a cluster: this "
    "one begins them, waits for them and does the rest. Of several, the output goes into logs/ of "
    "the run.",
    1,
)
flags.DEFINE_string(
    "ray_address",
    "auto",
    "ADDRESS: With --executor=ray: HOST:PORT of the cluster's head; auto for the cluster that this "
    "machine belongs to, which it has to anyway.",
)
flags.DEFINE_float(
    "task_cpus", 1.0, "CORES: With --executor=ray: cores of a node that a task takes.", 0.01
)
flags.DEFINE_float(
    "task_gpus",
    0.0,
    "GPUS: With --executor=ray: accelerators that a task takes, 0.5 for half of one; with 0 it "
    "sees none.",
    0.0,
)
