"""Training."""

from absl import flags

flags.DEFINE_integer(
    "batch_size",
    None,
    "CLIPS: Batch size in clips (or segments of clips); memory use grows with it. "
    "[that of the split's recipe]",
    lower_bound=2,
)
flags.DEFINE_float(
    "learning_rate",
    None,
    "RATE: Peak learning rate. [that of the split's recipe]",
    lower_bound=0.0,
)
flags.DEFINE_integer("seed", 0, "Random seed of the whole run.", lower_bound=0)
