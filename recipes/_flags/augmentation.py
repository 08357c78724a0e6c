"""Validation and device augmentation."""

from absl import flags

flags.DEFINE_float(
    "validation_fraction",
    0.0,
    "SHARE: Share of the training clips held out by location and scored after each epoch, for the "
    "log; 0 to 0.9.",
    lower_bound=0.0,
    upper_bound=0.9,
)
flags.DEFINE_string(
    "impulse_responses",
    None,
    "FOLDER: Microphone impulse responses; a clip of device a is convolved with one of them.",
)
flags.DEFINE_float(
    "impulse_response_probability",
    0.6,
    "SHARE: Probability, 0 to 1, that a clip of device a is convolved.",
    lower_bound=0.0,
    upper_bound=1.0,
)
