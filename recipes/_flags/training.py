"""Training."""

from absl import flags

flags.DEFINE_integer(
    "batch_size",
    None,
    "CLIPS: Clips (or segments of clips) in a batch; the memory that is needed grows with it. "
    "[that of the split's recipe]",
    lower_bound=2,
)
flags.DEFINE_float(
    "learning_rate",
    None,
    "RATE: Highest learning rate of the training. [that of the split's recipe]",
    lower_bound=0.0,
)
flags.DEFINE_integer("seed", 0, "Decides everything random.", lower_bound=0)
