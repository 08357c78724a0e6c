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
    "mask_frames",
    None,
    "FRAMES: Largest time mask of the student, in frames of 1/64 s; 0 for no time masking. "
    f"[{MASK_FRAMES}; 0 for baseline]",
    lower_bound=0,
)
