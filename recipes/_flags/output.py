"""Output."""

from absl import flags

flags.DEFINE_string(
    "output_dir",
    None,
    "FOLDER: Run directory; the same command resumes there, another one is refused. "
    "[one below runs/]",
)
flags.DEFINE_bool(
    "overwrite", False, "Start over: first remove everything that a run has left in the folder."
)
