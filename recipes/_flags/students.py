"""Training."""

from absl import flags

from dcase_system.challenge.systems import MASK_FRAMES

flags.DEFINE_integer(
    "epochs",
    None,
    "EPOCHS: Total epochs of all trainings of a system. [those of the split's recipe]",
    1,
)
flags.DEFINE_integer(
    "steps",
    None,
    "STEPS: Total steps (batches) of all trainings of a system, rounded up to whole epochs; in "
    "place of --epochs, for lists of another length. [--epochs decides]",
    1,
)
flags.register_validator(
    "steps",
    lambda steps: not (steps and flags.FLAGS["epochs"].present),
    message="both --steps and --epochs set the length of the training: expected one of them",
)
flags.DEFINE_integer(
    "mask_frames",
    None,
    "FRAMES: Largest time mask of the student, in frames of 1/64 s; 0 for no time masking. "
    f"[{MASK_FRAMES}; with the long window as much time; 0 for baseline]",
    lower_bound=0,
)
flags.DEFINE_enum(
    "front_end",
    "published",
    ["published", "short_window", "long_window"],
    "Front end of the student: the one that its network was published with, or log-mel in windows "
    "of 96 ms and 65 frames a second (short_window, that of all but tf_sepnet and cnn_gru), or of "
    "186 ms and 33 frames (long_window, that of cnn_gru), which takes about half the MACs.",
)
flags.DEFINE_float(
    "mixup_alpha",
    0.0,
    "ALPHA: Mix pairs of waveforms and their targets by weights ~ Beta(ALPHA, ALPHA); 0 for no "
    "mixup.",
    lower_bound=0.0,
)
flags.DEFINE_float(
    "label_smoothing",
    0.0,
    "SHARE: Share of the labels, 0 to 0.9, that is spread evenly over the classes.",
    lower_bound=0.0,
    upper_bound=0.9,
)
flags.DEFINE_float(
    "ema_decay",
    0.0,
    "SHARE: End each training with a moving average of the weights, in which a step keeps this "
    "share of the old value: 0.99 averages about 100 steps; 0 for the last weights.",
    lower_bound=0.0,
    upper_bound=0.9999,
)
