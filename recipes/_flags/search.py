"""Machines."""

from absl import flags

from recipes._flags import machines  # output defines --overwrite

flags.DEFINE_string(
    "storage",
    None,
    "PLACE: Trial storage of a search: a journal file that all machines see, or "
    "postgresql://user@host/database. [a journal in the run]",
)
flags.DEFINE_bool(
    "join",
    False,
    "Only work on the search of a run whose other flags are the same; any number of workers may "
    "join and leave.",
)
flags.register_multi_flags_validator(
    ["join", "overwrite"],
    lambda given: not given["join"] or not given["overwrite"],
    message="--overwrite would remove the run to join: expected it without --join",
)
flags.adopt_module_key_flags(machines)
