"""Machines."""

from absl import flags

from recipes._flags import machines  # output defines --overwrite

flags.DEFINE_string(
    "storage",
    None,
    "PLACE: Where the trials of a search lie: a journal file that all machines see, or "
    "postgresql://user@host/database. [a journal in the run]",
)
flags.DEFINE_bool(
    "join",
    False,
    "Only help with the search of a run that has the same flags otherwise; any number of processes "
    "may, and come and go as they like.",
)
flags.register_multi_flags_validator(
    ["join", "overwrite"],
    lambda given: not given["join"] or not given["overwrite"],
    message="--overwrite would remove the run that is to be helped: expected it without --join",
)
flags.adopt_module_key_flags(machines)
