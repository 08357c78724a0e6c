"""Flags that say who teaches; for the teachers' own recipe and the package's."""

from absl import flags

MEMBERS = flags.DEFINE_list(
    "members", None, "Architecture of each teacher, by name or as the path of a spec's .json."
)
INITIAL_WEIGHTS = flags.DEFINE_list(
    "initial_weights", [], "Folders of imported checkpoints, for the first teachers."
)
