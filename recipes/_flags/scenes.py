"""Clips."""

from absl import flags

from recipes._flags import clips, output, set_defaults, training

flags.DEFINE_enum(
    "corpus",
    "task1b",
    ["task1b", "scenes"],
    "Content of --data_dir: clips of DCASE 2020 Task 1B, or mono clips in the layout of TAU 2022 "
    "Mobile. The demo corpus is of the first kind.",
)
flags.DEFINE_string(
    "train_list",
    None,
    "FILE: Training list; the dev-test list is always the corpus's own. [fold1_train.csv with "
    "--corpus=task1b; split100.csv with --corpus=scenes]",
)
flags.DEFINE_integer(
    "segment_frames", 128, "FRAMES: Length of a segment; a frame is 10 ms.", lower_bound=16
)
flags.DEFINE_enum("scalogram", "paper", ["paper", "code"], "Front end of the paper or of its code.")
for group in (clips, output, training):
    flags.adopt_module_key_flags(group)
set_defaults({"seconds": 10.0, "batch_size": 64, "learning_rate": 0.001})

DEMO = {"seconds": 2.6, "batch_size": 16}
"""Defaults of all scene recipes on the demo corpus."""
