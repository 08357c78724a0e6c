"""Trains the teacher ensemble of one split, from which its students learn.

    python -m recipes.teachers --split=25 --data_dir=DEVELOPMENT \\
        --impulse_responses=DIR --initial_weights=IMPORTED,IMPORTED,IMPORTED

Trains the members one after another on the clips of this split alone and stores their logits;
finished members are not trained again. Pass the folder to student recipes as `--teachers=DIR`. The
default is four PaSST, as in the report: the first ones start from the imported checkpoints listed
in `--initial_weights`, in that order, the others from scratch. PaSST needs a GPU and pretraining;
on a CPU use `--members=cp_mobile_teacher,...`, or `--members=yamnet,...` with imported weights. A
mixed ensemble as published: `--members=passt_s,passt_s,cp_resnet_128,cp_resnet_128
--half_without_responses`. Without --data_dir the recipe trains two small members on the embedded
demo corpus.
"""

from collections.abc import Sequence

from absl import flags

from dcase_system.challenge.members import (
    CONVOLUTIONAL,
    CP_RESNET,
    DEMO,
    DEMO_MEMBERS,
    PASST,
    PASST_FROM_SCRATCH,
    YAMNET,
)
from dcase_system.challenge.systems import DEMO_EPOCHS
from dcase_system.core import cli
from dcase_system.corpora import tau
from recipes._flags import augmentation, begin, clips, devices, output, teachers, training

flags.DEFINE_enum(
    "split", "100", list(map(str, tau.SPLITS)), "Training list, in percent of all training clips."
)
flags.DEFINE_integer(
    "only", None, "INDEX: Train only this member (from 1), while others train elsewhere. [all]", 1
)
flags.DEFINE_integer("epochs", None, "EPOCHS: Epochs of training for each teacher.", 1)
flags.DEFINE_float(
    "mixup_alpha",
    None,
    "ALPHA: Mix pairs of waveforms and their labels by weights ~ Beta(ALPHA, ALPHA); 0 for no "
    "mixup. [0]",
    lower_bound=0.0,
)
for group in (clips, output, training, devices, augmentation, teachers):
    flags.adopt_module_key_flags(group)
flags.register_multi_flags_validator(
    ["only", "overwrite"],
    lambda given: given["only"] is None or not given["overwrite"],
    message="--overwrite would remove members that others train: expected it without --only",
)


def main(_: Sequence[str]) -> None:
    begin({})
    from recipes import _teachers

    _teachers.run()


if __name__ == "__main__":
    cli.run(
        main,
        {
            "for PaSST with initial weights": PASST,
            "for PaSST from scratch": PASST_FROM_SCRATCH,
            "for CP-ResNet": CP_RESNET,
            "for YAMNet with initial weights": YAMNET,
            "for others": CONVOLUTIONAL,
            "on the demo corpus": {
                **DEMO,
                "epochs": f"{DEMO_EPOCHS[5]} to {DEMO_EPOCHS[100]}, by split,",
                "members": DEMO_MEMBERS,
            },
        },
    )
