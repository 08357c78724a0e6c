"""Training."""

from absl import flags

from dcase_system.challenge.systems import MASK_FRAMES

flags.DEFINE_integer(
    "epochs",
    None,
    "EPOCHS: Passes over the training clips, in all trainings of a system together. "
    "[those of the split's recipe]",
    1,
)
flags.DEFINE_integer(
    "mask_frames",
    None,
    "FRAMES: Largest time mask of the student, in frames of 1/64 s; 0 masks no time. "
    f"[{MASK_FRAMES}; 0 for baseline]",
    lower_bound=0,
)
