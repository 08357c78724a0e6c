"""Output."""

from absl import flags

flags.DEFINE_string(
    "output_dir",
    None,
    "FOLDER: Where the run is written; the same command goes on there, another one is refused. "
    "[one below runs/]",
)
flags.DEFINE_bool(
    "overwrite", False, "Begin anew: remove everything that a run has left in the folder, first."
)
