"""Device-specific networks."""

from absl import flags

flags.DEFINE_bool(
    "device_specific",
    False,
    "Also fine-tune a copy of the finished network on the training clips of each device, as the "
    "rules of 2025 allow; other devices keep the general network.",
)
flags.DEFINE_integer(
    "device_epochs", 10, "EPOCHS: Passes over a device's training clips to fine-tune its copy.", 1
)
flags.DEFINE_float(
    "device_learning_rate",
    5e-4,
    "RATE: Peak learning rate of that fine-tuning.",
    lower_bound=0.0,
)
flags.DEFINE_integer(
    "device_min_clips",
    256,
    "CLIPS: Fewest training clips of a device for a network of its own.",
    1,
)
