"""Teachers and distillation."""

from absl import flags

from dcase_system.challenge.members import PUBLISHED_MEMBERS

flags.DEFINE_list(
    "members",
    list(PUBLISHED_MEMBERS),
    "NAME: Architecture of each teacher: a name, or the .json file of a spec.",
)
flags.DEFINE_list(
    "initial_weights",
    [],
    "FOLDER: Imported checkpoints that the first teachers start from, in their order.",
)
