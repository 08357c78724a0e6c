"""Machines."""

from absl import flags

flags.DEFINE_enum(
    "executor",
    "local",
    ["local", "ray"],
    "Where tasks (the recipes of a package, or the workers of a search) run: here, or on the nodes "
    "of a Ray cluster.",
)
flags.DEFINE_integer(
    "parallel_tasks",
    1,
    "Recipes to run at a time, with --executor=local; or workers of a search, here or on a "
    "cluster: this process starts them, waits for them and does the rest. Output of parallel tasks "
    "goes to logs/ of the run.",
    1,
)
flags.DEFINE_string(
    "ray_address",
    "auto",
    "ADDRESS: With --executor=ray: HOST:PORT of the cluster's head, or auto for the cluster of "
    "this machine, which must be one of its nodes in either case.",
)
flags.DEFINE_float(
    "task_cpus", 1.0, "CORES: With --executor=ray: CPU cores reserved for a task.", 0.01
)
flags.DEFINE_float(
    "task_gpus",
    0.0,
    "GPUS: With --executor=ray: GPUs reserved for a task, 0.5 for half of one; 0 hides all.",
    0.0,
)
