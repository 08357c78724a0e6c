"""Compares TF-MOT's magnitude pruning (zeros) with channel pruning (fewer channels) on one split.

    python -m recipes.magnitude --split=25 --data_dir=DEVELOPMENT \\
        --teachers=TEACHERS/split_25

Trains base width 64 once. From that network it sets weights to zero until as many are left as S1
has (AGP, linear and one-shot), sets two of every four weights to zero, and prunes channels as in
S1, each with the same number of epochs of pruning and of fine-tuning by distillation. The report
compares accuracy, zeros, zipped sizes and the rules' counts. For one variant alone use
`recipes.split25 --system=magnitude`.
"""

from collections.abc import Sequence

from absl import flags

from dcase_system.challenge.systems import MASK_FRAMES
from dcase_system.core import cli
from dcase_system.corpora import tau
from recipes._flags import (
    augmentation,
    begin,
    clips,
    distillation,
    files,
    output,
    pruning,
    set_defaults,
    students,
    training,
)

VARIANTS = ("wide", "zeros-agp", "zeros-linear", "zeros-constant", "zeros-2:4", "channels")
PUBLISHED = {"epochs": 375, "batch_size": 256, "learning_rate": 0.005, "mask_frames": MASK_FRAMES}
DEMO = {"epochs": 15, "batch_size": 64}

flags.DEFINE_enum(
    "split", "100", list(map(str, tau.SPLITS)), "Training list, in percent of all training clips."
)
flags.DEFINE_list("variants", None, f"NAME: Some of {', '.join(VARIANTS)}. [all]")
flags.register_validator(
    "variants",
    lambda given: set(given or []) <= set(VARIANTS),
    message=f"unknown variant; expected {', '.join(VARIANTS)}",
)
for group in (
    *(clips, output, students, training, augmentation),
    *(distillation, pruning, files),
):
    flags.adopt_module_key_flags(group)
# The variants fix the first row of flags; teachers are optional and never trained here.
for name in (
    *("base_channels", "pruning_schedule", "qat_epochs"),
    *("distill", "teachers", "teacher_epochs"),
):
    delattr(flags.FLAGS, name)
flags.DEFINE_string("teachers", None, "FOLDER: Teachers of the split, trained by recipes.teachers.")
set_defaults(PUBLISHED)


def main(_: Sequence[str]) -> None:
    begin(DEMO)
    from recipes import _magnitude

    _magnitude.run()


if __name__ == "__main__":
    cli.run(main, {"on the demo corpus": DEMO})
